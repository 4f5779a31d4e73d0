# Draws the curve of a clip with its beats, and single frames with the ventricle's outline.

ink <- list(
  line = "#1d3a54", dot = "#9fb0be", grid = "#e4e8ec", shade = "#f0f4f7", text = "#44525f",
  ed = "#0072b2", es = "#d55e00", ed_on_black = "#56c8ff", es_on_black = "#ffa14a",
  refused = "#c5cdd4", gap = "#b9c2ca"
)

#' Plot the beats of a clip
#'
#' The measured curve (dots), what the volumes are read from (line), and each beat's end-diastole
#' and end-systole. Complete beats stand on a shaded ground with their EF above them. Volume is in
#' mL, or relative to the largest end-diastolic volume where the clip is not calibrated; views PLAX
#' and PSAX show the area.
#'
#' @param x What [detect_beats()] returned.
#' @param highlight Number of a beat to ring, or `NULL`.
#' @param what `"curve"`, or `"cycles"`: the rhythm strip, with the length of every cycle from one
#'   end-systole to the next, drawn at the later of the two.
#' @param xlab,ylab Labels of the axes; `NULL` for the unit that fits. An empty `xlab` takes no
#'   room, nor does the strip's time axis then.
#' @param ... Passed to [graphics::plot.window()].
#' @return `x`, invisibly.
#' @examples
#' store <- example_store()
#' beats <- detect_beats(read_segmentation(store))
#' plot(beats)
#' plot(beats, what = "cycles")
#' @export
plot.beatbybeat_beats <- function(x, highlight = NULL, what = "curve", xlab = "Time (s)",
                                  ylab = NULL, ...) {
  check_choice(what, c("curve", "cycles"), "what")
  if (what == "cycles") {
    plot_cycles(x, xlab, if (is.null(ylab)) "Cycle (s)" else ylab, ...)
    return(invisible(x))
  }
  curve <- plotted_curve(x)
  below <- if (nzchar(xlab)) 3.2 else 1.6
  old <- graphics::par(mar = c(below, 3.6, 1.8, 0.6), mgp = c(2.1, 0.5, 0), las = 1, tcl = -0.25,
                       cex.axis = 0.9, col.axis = ink$text, col.lab = ink$text, fg = ink$text)
  on.exit(graphics::par(old))
  graphics::plot.new()
  values <- c(curve$value, curve$smooth)
  values <- values[is.finite(values)]
  top <- if (length(values) > 0L) max(values) else 1
  low <- if (length(values) > 0L) min(values) else 0
  span <- range(curve$time_s)
  if (diff(span) == 0) span <- span + c(-0.5, 0.5)
  graphics::plot.window(span, c(max(0, low - 0.25 * (top - low)), top + 0.16 * (top - low)),
                        xaxs = "i", ...)
  draw_ground(x)
  graphics::axis(1, lwd = 0, lwd.ticks = 0.8)
  graphics::axis(2, lwd = 0, lwd.ticks = 0)
  graphics::title(xlab = xlab, ylab = if (is.null(ylab)) curve$label else ylab)
  graphics::points(curve$time_s, curve$value, pch = 16, cex = 0.5, col = ink$dot)
  graphics::lines(curve$time_s, curve$smooth, lwd = 2, col = ink$line)
  draw_marks(x, curve$scale, highlight)
  invisible(x)
}

plotted_curve <- function(beats) {
  frames <- beats$frames
  value <- if (beats$area_only) frames$area else frames$volume
  value[!frames$usable] <- NA
  largest <- suppressWarnings(max(c(beats$measures$size_ed, -Inf), na.rm = TRUE))
  if (!is.finite(largest)) {
    largest <- suppressWarnings(max(c(value, -Inf), na.rm = TRUE))
  }
  relative <- !beats$calibrated && is.finite(largest)
  scale <- if (relative) 1 / largest else 1
  unit <- if (beats$calibrated) {
    if (beats$area_only) "Area (cm\u00b2)" else "Volume (mL)"
  } else {
    paste(if (beats$area_only) "Area" else "Volume", "(largest ED = 1)")
  }
  list(
    time_s = frames$time_s, value = value * scale, smooth = frames$size_smooth * scale,
    scale = scale, label = unit
  )
}

draw_ground <- function(beats) {
  box <- graphics::par("usr")
  measures <- beats$measures
  for (k in which(measures$complete)) {
    graphics::rect(measures$ed_s[k], box[3], measures$next_ed_s[k], box[4], col = ink$shade,
                   border = "white", lwd = 2)
  }
  graphics::abline(h = graphics::axTicks(2), col = ink$grid, lwd = 0.8)
  unusable <- beats$frames$time_s[!beats$frames$usable]
  graphics::rug(unusable, ticksize = 0.025, col = ink$gap, lwd = 1.5, quiet = TRUE)
}

draw_marks <- function(beats, scale, highlight) {
  measures <- beats$measures
  top <- graphics::par("usr")[4]
  if (!is.null(highlight) && length(highlight) == 1L) {
    row <- measures[highlight, ]
    graphics::points(c(row$ed_s, row$es_s), c(row$size_ed, row$size_es) * scale, pch = 21,
                     cex = 2.4, col = ink$text, bg = "white", lwd = 1)
  }
  graphics::points(measures$ed_s, measures$size_ed * scale, pch = 21, cex = 1.3, bg = ink$ed,
                   col = "white")
  graphics::points(measures$es_s, measures$size_es * scale, pch = 23, cex = 1.3, bg = ink$es,
                   col = "white")
  value <- if (beats$area_only) measures$fac_percent else measures$ef_percent
  shown <- which(!is.na(value))
  middle <- ifelse(measures$complete, (measures$ed_s + measures$next_ed_s) / 2, measures$es_s)
  cycle_s <- stats::median(diff(sort(measures$es_s)))
  crowded <- !is.na(cycle_s) && graphics::strwidth("00 %") * 1.15 > cycle_s
  if (!crowded && length(shown) > 0L) {
    graphics::text(middle[shown], top, sprintf("%.0f %%", value[shown]), adj = c(0.5, 1.7),
                   cex = 0.85, xpd = NA, font = ifelse(measures$complete[shown], 2L, 3L),
                   col = ifelse(measures$complete[shown], ink$line, ink$dot))
  }
  box <- graphics::par("usr") # in the margin above, whatever the device's shape
  graphics::legend(mean(box[1:2]), box[4] + 0.9 * graphics::par("cxy")[2], xjust = 0.5,
                   yjust = 0.5, x.intersp = 0.6, horiz = TRUE, bty = "n", xpd = NA,
                   cex = 0.85, legend = c("ED", "ES", "measured   ", "smoothed"),
                   pch = c(21, 23, 16, NA), pt.bg = c(ink$ed, ink$es, NA, NA),
                   col = c("white", "white", ink$dot, ink$line), pt.cex = c(1.3, 1.3, 0.6, NA),
                   lwd = c(NA, NA, NA, 2), seg.len = 1.2, text.col = ink$text)
}

# Draws one frame, filling the device: `image` (y, x) 0..255 or NULL, `mask` (y, x) logical,
# `pixel_aspect` row spacing / column spacing.
draw_frame <- function(image, mask, pixel_aspect, colour) {
  height <- nrow(mask) * pixel_aspect
  width <- ncol(mask)
  old <- graphics::par(mar = rep(0, 4), bg = "black")
  on.exit(graphics::par(old))
  graphics::plot.new()
  graphics::plot.window(c(0, width), c(height, 0), xaxs = "i", yaxs = "i", asp = 1)
  if (is.null(image)) {
    graphics::rect(0, height, width, 0, col = "#20262c", border = NA)
  } else {
    graphics::rasterImage(grDevices::as.raster(image / 255), 0, height, width, 0,
                          interpolate = TRUE)
  }
  for (outline in mask_outlines(mask)) {
    graphics::lines(outline$x, outline$y * pixel_aspect, col = "#000000a0", lwd = 4)
    graphics::lines(outline$x, outline$y * pixel_aspect, col = colour, lwd = 2.2)
  }
}

# Outlines of a mask as lists of x, y in pixels, pixel (1, 1) reaching from 0 to 1.
mask_outlines <- function(mask) {
  mask[is.na(mask)] <- FALSE
  height <- nrow(mask)
  width <- ncol(mask)
  padded <- matrix(0, height + 2L, width + 2L)
  padded[seq_len(height) + 1L, seq_len(width) + 1L] <- mask
  if (!any(mask)) {
    return(list())
  }
  lines <- grDevices::contourLines(
    x = seq(-0.5, width + 0.5), y = seq(-0.5, height + 0.5), z = t(padded), levels = 0.5
  )
  lapply(lines, function(line) lapply(line[c("x", "y")], round_off_corners))
}

# A moving average over five points of a closed line: takes the pixels' corners off.
round_off_corners <- function(value) {
  count <- length(value)
  if (count < 8L || value[1] != value[count]) {
    return(value)
  }
  open <- value[-count]
  smooth <- as.double(stats::filter(open, rep(0.2, 5L), circular = TRUE))
  c(smooth, smooth[1])
}
