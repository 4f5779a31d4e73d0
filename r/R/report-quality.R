# Writes how good a clip's measurement is: what was seen, how beats repeat, how sure outlines are.

quality_html <- function(beats, study, heading = "Quality") {
  if (!beats$measurable) {
    return(NULL)
  }
  frames <- beats$frames
  of <- function(measure) study$mean[study$measure == measure]
  outlines <- if (beats$area_only) NULL else segmentation_uncertainty(beats, simulations = 300)
  doubt <- if (is.null(outlines)) NA_real_ else outlines[["segmentation_sd"]]
  rows <- list(
    "Frames measured" = sprintf("%d of %d (%.0f %%)", sum(frames$usable), nrow(frames),
                                100 * mean(frames$usable)),
    "Outlines" = text_of("confidence %.2f, median over frames",
                         stats::median(frames$confidence[frames$usable], na.rm = TRUE)),
    "Beats" = text_of("confidence %.2f, median over beats",
                      stats::median(beats$table$confidence, na.rm = TRUE)),
    "Beats repeat" = text_of("autocorrelation %.2f", beats$correlation),
    "Sphericity at ED" = text_of("%.2f (short to long axis)", of("sphericity_ed")),
    "Long axis" = text_of("shortens by %.0f %%", of("long_axis_shortening_percent")),
    "Ejection, filling" = text_of("fastest %.1f and %.1f EDV a second",
                                  of("peak_ejection_rate_per_s"), of("peak_filling_rate_per_s")),
    "Doubt about outlines" = text_of(paste(
      "%.1f points of EF (SD) if areas are as wrong as their confidence falls short of 1; not in",
      "the interval"
    ), doubt)
  )
  rows <- Filter(Negate(is.null), rows)
  c(
    "<section class=\"provenance columns\">", element("h2", heading), definitions(rows),
    "</section>"
  )
}

# NULL where one of the numbers is not known.
text_of <- function(format, ...) {
  numbers <- c(...)
  if (length(numbers) > 0L && all(is.finite(numbers))) sprintf(format, ...)
}
