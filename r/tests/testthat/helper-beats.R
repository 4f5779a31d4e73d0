# A simulated clip as the table that detect_beats() takes.
frames_of <- function(clip) {
  stats::setNames(clip$frames, c("time_s", "area", "long_axis", "status", "confidence"))
}

beats_of <- function(..., view = "A4C", calibrated = FALSE, method = "beatbybeat") {
  detect_beats(frames_of(simulate_clip(...)), view = view, calibrated = calibrated, method = method)
}
