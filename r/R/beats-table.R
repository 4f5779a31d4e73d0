# Makes the table of beats, and what is read from all of them: cycles, heart rate, curves.

beat_table <- function(measures, calibrated, area_only) {
  missing <- rep(NA_real_, nrow(measures))
  volume <- function(size) if (calibrated && !area_only) size else missing
  largest <- suppressWarnings(max(measures$size_ed, na.rm = TRUE))
  relative <- function(size) if (area_only) missing else size / largest
  # An end-systole without an end-diastole is no volume of a beat.
  size_es <- ifelse(is.na(measures$ed_s), NA_real_, measures$size_es)
  list2DF(list(
    beat = measures$beat, ed_s = measures$ed_s, es_s = measures$es_s,
    cycle_s = measures$cycle_s, hr_bpm = 60 / measures$cycle_s,
    edv_ml = volume(measures$size_ed), esv_ml = volume(size_es),
    edv_relative = relative(measures$size_ed), esv_relative = relative(size_es),
    ef_percent = measures$ef_percent, complete = measures$complete,
    confidence = measures$confidence, cycle_before_s = measures$cycle_before_s,
    premature = measures$premature, after_premature = measures$after_premature,
    included = measures$included, edited = measures$edited
  ))
}

# One of the stretches' curves over all frames of the clip, NA between them.
over_clip <- function(stretches, curves, name) {
  all <- rep(NA_real_, length(curves$time_s))
  for (stretch in stretches) {
    all[stretch$frames] <- stretch[[name]]
  }
  all
}

# What the longest stretch says; `none` where there is no stretch.
of_longest <- function(stretches, name, none) {
  if (length(stretches) == 0L) {
    return(none)
  }
  frames <- vapply(stretches, function(s) length(s$frames), integer(1))
  stretches[[which.max(frames)]][[name]]
}

# Beats per minute over the whole clip: of the median interval, or of the mean one where the
# rhythm is irregular; of complete beats' cycles where there is no second end-systole; NA where the
# curve flickers.
heart_rate <- function(beats) {
  if (beats$flickers) {
    return(NA_real_)
  }
  cycles_s <- beats$es_to_es_s
  if (length(cycles_s) == 0L) {
    cycles_s <- beats$table$cycle_s[beats$table$complete]
  }
  if (length(cycles_s) == 0L) {
    return(NA_real_)
  }
  irregular <- identical(beats$rhythm, "irregular")
  60 / (if (irregular) mean(cycles_s) else stats::median(cycles_s))
}

#' @export
as.data.frame.beatbybeat_beats <- function(x, row.names = NULL, # nolint: object_name_linter.
                                           optional = FALSE, ...) {
  table <- x$table
  if (!is.null(row.names)) {
    row.names(table) <- row.names
  }
  table
}
