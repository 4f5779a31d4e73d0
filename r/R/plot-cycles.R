# Draws the rhythm strip of a clip: the length of every cycle.

# The rhythm strip, on the time axis of the curve.
plot_cycles <- function(x, xlab, ylab, ...) {
  measures <- x$measures
  shown <- measures[!is.na(measures$cycle_before_s), ]
  below <- if (nzchar(xlab)) 3.2 else 0.4
  old <- graphics::par(mar = c(below, 3.6, 0.4, 0.6), mgp = c(2.1, 0.5, 0), las = 1, tcl = -0.25,
                       cex.axis = 0.9, col.axis = ink$text, col.lab = ink$text, fg = ink$text)
  on.exit(graphics::par(old))
  graphics::plot.new()
  span <- range(x$frames$time_s)
  if (diff(span) == 0) span <- span + c(-0.5, 0.5)
  graphics::plot.window(span, c(0, 1.15 * max(1, shown$cycle_before_s)), xaxs = "i", yaxs = "i",
                        ...)
  if (nzchar(xlab)) graphics::axis(1, lwd = 0, lwd.ticks = 0.8)
  marks <- pretty(c(0, shown$cycle_before_s, 1), 2)
  graphics::axis(2, marks, lwd = 0)
  graphics::abline(h = marks, col = ink$grid, lwd = 0.8)
  graphics::title(xlab = xlab, ylab = ylab)
  early <- shown$premature & !identical(x$rhythm, "irregular")
  if (nrow(shown) > 0L) {
    graphics::abline(h = stats::median(shown$cycle_before_s), col = ink$dot, lwd = 1.2)
    graphics::segments(shown$es_s, 0, shown$es_s, shown$cycle_before_s, col = ink$line, lwd = 2.5)
    graphics::points(shown$es_s, shown$cycle_before_s, pch = 21, cex = 1.2,
                     bg = ifelse(early, "white", ink$line), col = ink$line, lwd = 1.5)
  }
}
