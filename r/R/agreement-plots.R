# Draws the objects of agreement.

#' @rdname agreement
#' @export
plot.beatbybeat_bland_altman <- function(x, xlab = "Mean of the two",
                                         ylab = "Measured - reference", ...) {
  table <- x$estimates
  row <- function(name) table[table$statistic == name, ]
  shown <- rbind(row("bias"), row("lower_limit"), row("upper_limit"))
  old <- graphics::par(mar = c(4, 4, 1, 5), las = 1, fg = ink$text, col.axis = ink$text)
  on.exit(graphics::par(old))
  reach <- range(c(x$pairs$difference, shown$low, shown$high), na.rm = TRUE)
  graphics::plot(x$pairs$average, x$pairs$difference, type = "n", ylim = reach, xlab = xlab,
                 ylab = ylab, bty = "n", ...)
  side <- graphics::par("usr")[1:2]
  for (k in seq_len(nrow(shown))) {
    graphics::rect(side[1], shown$low[k], side[2], shown$high[k], col = ink$shade, border = NA)
  }
  graphics::abline(h = 0, col = ink$grid)
  graphics::abline(h = shown$estimate, col = ink$line, lty = c(1, 2, 2), lwd = c(2, 1, 1))
  graphics::points(x$pairs$average, x$pairs$difference, pch = 21, bg = ink$dot, col = "white",
                   cex = 1.2)
  graphics::mtext(sprintf("%s %.1f", c("bias", "lower", "upper"), shown$estimate), side = 4,
                  at = shown$estimate, line = 0.3, cex = 0.8, col = ink$line)
  invisible(x)
}

#' @rdname agreement
#' @export
plot.beatbybeat_icc <- function(x, xlab = "Intraclass correlation", ylab = "", ...) {
  table <- x$estimates
  old <- graphics::par(mar = c(4, 6, 1, 1), las = 1, fg = ink$text, col.axis = ink$text)
  on.exit(graphics::par(old))
  at <- rev(seq_len(nrow(table)))
  graphics::plot(table$estimate, at, type = "n", yaxt = "n", bty = "n", xlab = xlab, ylab = ylab,
                 xlim = range(c(0, 1, table$low, table$estimate), na.rm = TRUE), ...)
  graphics::axis(2, at, table$statistic, lwd = 0)
  graphics::abline(v = c(0, 1), col = ink$grid)
  graphics::segments(table$low, at, table$high, at, col = ink$line, lwd = 2)
  graphics::points(table$estimate, at, pch = 21, bg = ink$line, col = "white", cex = 1.4)
  invisible(x)
}

# Measured against reference, with the line of identity.
plot_identity <- function(x, xlab, ylab, ...) {
  old <- graphics::par(mar = c(4, 4, 1, 1), las = 1, fg = ink$text, col.axis = ink$text, pty = "s")
  on.exit(graphics::par(old))
  reach <- range(unlist(x$pairs))
  graphics::plot(x$pairs$reference, x$pairs$measured, type = "n", xlim = reach, ylim = reach,
                 xlab = xlab, ylab = ylab, bty = "n", ...)
  graphics::abline(0, 1, col = ink$grid, lwd = 2)
  graphics::points(x$pairs$reference, x$pairs$measured, pch = 21, bg = ink$line, col = "white",
                   cex = 1.2)
  invisible(x)
}

#' @rdname agreement
#' @export
plot.beatbybeat_ccc <- function(x, xlab = "Reference", ylab = "Measured", ...) {
  plot_identity(x, xlab, ylab, ...)
}

#' @rdname agreement
#' @export
plot.beatbybeat_errors <- function(x, xlab = "Reference", ylab = "Measured", ...) {
  plot_identity(x, xlab, ylab, ...)
}

#' @rdname agreement
#' @export
plot.beatbybeat_auc <- function(x, xlab = "1 - specificity", ylab = "Sensitivity", ...) {
  old <- graphics::par(mar = c(4, 4, 1, 1), las = 1, fg = ink$text, col.axis = ink$text, pty = "s")
  on.exit(graphics::par(old))
  points <- roc_points(x$patients, x$tells)
  graphics::plot(points, type = "n", xlim = c(0, 1), ylim = c(0, 1), xlab = xlab, ylab = ylab,
                 bty = "n", ...)
  graphics::abline(0, 1, col = ink$grid)
  graphics::lines(points, col = ink$line, lwd = 2)
  chosen <- x$estimates[x$estimates$statistic %in% c("sensitivity", "specificity"), "estimate"]
  if (length(chosen) == 2L) {
    graphics::points(1 - chosen[2], chosen[1], pch = 21, bg = ink$es, col = "white", cex = 1.5)
  }
  invisible(x)
}
