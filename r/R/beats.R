# Makes the object of beats: one row per beat, from a segmentation or from a table of frames.

#' Find the beats of a clip
#'
#' Finds every end-systole (ES) and the end-diastoles (ED) around it, and measures volumes and the
#' ejection fraction (EF) of each beat.
#'
#' @section Method:
#' Everything is in seconds, so that 30 and 90 frames per second of one heart give the same beats.
#' 1. Frames of status 0 and 3 are used; 1, 2 and 4 are gaps. Gaps up to 0.10 s are bridged, longer
#'    ones split the clip. A Hampel filter (0.15 s, 3 MAD) replaces outliers.
#' 2. The area curve is smoothed by a local cubic at the true frame times (Savitzky-Golay) over
#'    0.14 s, at least five frames.
#' 3. The cycle length T comes from the autocorrelation, for lags of 30 to 220 bpm: the smallest
#'    peak of at least 0.85 of the highest, or 0.80 at a whole part of its lag.
#' 4. ES are minima, on the curve smoothed over 0.35 T (0.14 to 0.35 s; 0.5 T where a frame's noise
#'    passes a fifth of the curve's range), with a prominence of at
#'    least 0.35 of its range (5th to 95th percentile; 0.20 on a side that the clip's edge cuts
#'    off; down to 0.10 where the curve is low or has just fallen by half its range, unless it
#'    flickers, see Rhythm) and a spacing of at least 0.4 T (0.273 to 0.40 s; 0.273 s for minima of
#'    half the range, or where the curve does not repeat itself).
#' 5. ED is the maximum between two ES. A beat is complete only if its ED, its ES and the next ED
#'    lie inside the clip: an ED at an edge counts only if the curve falls again beyond it.
#' 6. Times are those of the smoothed curve's extremes, refined between frames. Sizes are read there
#'    off parabolas through the measured frames (four at least, more in noise, up to 0.21 T to
#'    either side). Extremes of the measured curve are extremes of its noise and overestimate EF by
#'    several points; means lie inside the curve and underestimate it.
#'
#' A beat that the clip's edge cuts has `complete = FALSE`. It has an EF if its ED (before or after
#' its ES) is seen, or if the clip holds at least 0.25 s before or 0.40 s after the ES; otherwise
#' none.
#'
#' `method = "echonet"` finds ES by the rule in the EchoNet-Dynamic code, in frames and with the
#' fault of its trimmed range, for comparison only; how beats are measured then is the same.
#'
#' @section What is not given:
#' Without calibration, volumes in mL are `NA` and the relative ones (largest EDV = 1) remain. Views
#' PLAX and PSAX have no volume and no EF, but a fractional area change
#' (`x$measures$fac_percent`). An object that the store calls not measurable has no beats;
#' `x$reasons` says why. A clip in which no beat is found, or half a one, is no error: it gives
#' no row or an incomplete one, `NA` in the summary, and a warning in `x$warnings` that says why.
#' What cannot be a curve is an error, as are times that do not increase.
#'
#' @param x What [read_segmentation()] returned; or a data frame with one row per frame and the
#'   columns `time_s`, `area`, and for volumes `long_axis` or a matrix `diameters` with it;
#'   optionally `status` and `confidence`.
#' @param method `"beatbybeat"` or `"echonet"`.
#' @param volume_method `"area_length"`, \eqn{8A^2/(3 \pi L)}, or `"disks"`,
#'   \eqn{\pi/4 \cdot L/20 \sum d^2}; see [volumes].
#' @param object Name of the object in the store.
#' @param view For data frames: `"A4C"`, `"A2C"`, `"PLAX"`, `"PSAX"` or `"unknown"`.
#' @param calibrated For data frames: are `area`, `long_axis` and `diameters` in cm² and cm?
#' @param ecg_triggers_s Times of the R waves in seconds of the clip, or `NULL`. Where given they
#'   rule: a beat reaches from one trigger to the next, its ED is at the trigger and its ES the
#'   minimum between; `method` is not used.
#' @param ... For methods.
#' @return An object of class `beatbybeat_beats`. `as.data.frame()` gives one row for each beat:
#'   `beat`, `ed_s`, `es_s` (times, s), `cycle_s` (ED to next ED, s; complete beats only),
#'   `hr_bpm`, `edv_ml`, `esv_ml`, `edv_relative`, `esv_relative` (largest EDV = 1), `ef_percent`,
#'   `complete`, `confidence` (0 to 1, an order and not a probability), `cycle_before_s` (from the
#'   ES before to this one: a surrogate of RR), `premature` and `after_premature` (see there),
#'   `included` (is it in the mean?), `edited` (see [edit_beats()]).
#'
#' @section Rhythm:
#' Told from cycles, ES to ES: regular if their coefficient of variation is at most 0.10. A beat is
#' called premature if the cycle before it is below 0.80 of the median of the up to five before.
#' Where the cycles without premature beats and those after them differ by at most 6 %, the rhythm
#' is "regular with premature beats", and the mean is over the other beats
#' ([summary][summary.beatbybeat_beats] gives both means); else a coefficient above 0.10 is an
#' irregular rhythm, and all complete beats count. Neither rhythm nor heart rate is told where the
#' curve flickers: it does not repeat itself (autocorrelation below 0.55), and the noise of single
#' frames is more than 0.15 of its variance. An ECG's triggers tell both, and so does a reader's
#' edit.
#'
#' @section Confidence:
#' The geometric mean of the parts that are known, each 0 to 1 and a column of `x$measures`: `depth`
#' (prominence as a share of the curve's range), `cycle` (likeness of its length to the median
#' one; not in an irregular rhythm), `shape` (correlation with the median beat), `coverage` (share
#' of frames measured), `signal` (variance that is not noise), `model` (the store's confidence).
#' @seealso [summary.beatbybeat_beats()], [report()]
#' @references Ouyang D et al. Video-based AI for beat-to-beat assessment of cardiac function.
#'   Nature 2020;580:252-256. \doi{10.1038/s41586-020-2145-8} (the `echonet` rule).
#'   Savitzky A, Golay MJE. Anal Chem 1964;36:1627-1639.
#' @examples
#' store <- example_store()
#' beats <- detect_beats(read_segmentation(store))
#' beats
#' summary(beats)
#' as.data.frame(beats)
#'
#' # From a table: a ventricle of 70 bpm drawn at 50 frames per second
#' time_s <- seq(0, 3, by = 0.02)
#' frames <- data.frame(
#'   time_s = time_s, area = 30 + 8 * cos(2 * pi * 70 / 60 * time_s), long_axis = 8
#' )
#' detect_beats(frames, view = "A4C", calibrated = TRUE)
#' @export
detect_beats <- function(x, ...) UseMethod("detect_beats")

beat_methods <- list(beatbybeat = find_end_systoles, echonet = find_end_systoles_echonet)

volume_methods <- c("area_length", "disks")

#' @rdname detect_beats
#' @export
detect_beats.beatbybeat_segmentation <- function(x, method = "beatbybeat",
                                                 volume_method = "area_length",
                                                 object = "left_ventricle",
                                                 ecg_triggers_s = NULL, ...) {
  check_triggers(ecg_triggers_s)
  check_choice(method, names(beat_methods), "method")
  check_choice(volume_method, volume_methods, "volume_method")
  at <- object_index(x, object)
  calibrated <- !is.null(x$area_cm2)
  pick <- function(px, cm) if (calibrated) x[[cm]] else x[[px]]
  curves <- list(
    time_s = x$frame_time_s,
    status = x$status[at, ],
    area = pick("area_px", "area_cm2")[at, ],
    long_axis = pick("long_axis_px", "long_axis_cm")[at, ],
    diameters = slice_object(pick("disk_diameter_px", "disk_diameter_cm"), at),
    confidence = x$confidence[at, ]
  )
  new_beats(curves,
    method = method, volume_method = volume_method, view = x$attributes[["view"]],
    calibrated = calibrated, measurable = is_measurable(x, object),
    reasons = reasons_of(x, object), segmentation = x, object = object,
    triggers_s = ecg_triggers_s
  )
}

# (object, frame, disk) -> (frame, disk)
slice_object <- function(values, at) {
  matrix(values[at, , ], nrow = dim(values)[2], ncol = dim(values)[3])
}

#' @rdname detect_beats
#' @export
detect_beats.data.frame <- function(x, method = "beatbybeat", volume_method = "area_length",
                                    view = "unknown", calibrated = FALSE,
                                    ecg_triggers_s = NULL, ...) {
  check_triggers(ecg_triggers_s)
  check_choice(method, names(beat_methods), "method")
  check_choice(volume_method, volume_methods, "volume_method")
  check_choice(view, views, "view")
  if (!isTRUE(calibrated) && !isFALSE(calibrated)) {
    abort_beatbybeat("bad_argument", "`calibrated` must be TRUE or FALSE, not ",
                     describe_value(calibrated), ".")
  }
  if (nrow(x) == 0L) {
    abort_beatbybeat("bad_argument", "`x` has no rows; it must have one for each frame.")
  }
  needed <- c("time_s", "area", if (!view %in% area_only_views) "long_axis",
              if (volume_method == "disks") "diameters")
  missing <- setdiff(needed, names(x))
  if (length(missing) > 0L) {
    abort_beatbybeat("bad_argument", "`x` must have the column `", missing[1],
                     "`; it has ", paste0("`", names(x), "`", collapse = ", "), ".")
  }
  check_times(x$time_s, "x$time_s")
  count <- nrow(x)
  column <- function(name, default) if (is.null(x[[name]])) rep(default, count) else x[[name]]
  curves <- list(
    time_s = x$time_s, status = as.integer(column("status", 0L)),
    area = x$area, long_axis = column("long_axis", NA_real_),
    diameters = x[["diameters"]], confidence = column("confidence", NA_real_)
  )
  check_given_curves(curves, diameters_wanted = volume_method == "disks")
  new_beats(curves,
    method = method, volume_method = volume_method, view = view, calibrated = calibrated,
    measurable = TRUE, reasons = data.frame(code = character(), message = character()),
    triggers_s = ecg_triggers_s
  )
}

#' @export
detect_beats.default <- function(x, ...) {
  abort_beatbybeat("bad_argument", "`x` must be a segmentation or a data frame, not ",
                   describe_value(x), "; open a store with read_segmentation().")
}

area_only_views <- c("PLAX", "PSAX")

# Curves that a caller made. A frame that was not measured has a status or is NA; a curve on which
# nothing at all was measured though the status says so is a mistake and no heart.
check_given_curves <- function(curves, diameters_wanted) {
  count <- length(curves$time_s)
  if (!all(curves$status %in% 0:4)) {
    abort_beatbybeat("bad_argument", "`x$status` must be 0 (measured), 1 (no object), 2 (not ",
                     "decoded), 3 (touches the edge) or 4 (low confidence), not ",
                     format(curves$status[!curves$status %in% 0:4][1]), ".")
  }
  for (name in c("area", "long_axis")) {
    check_numeric(curves[[name]], paste0("x$", name))
    wrong <- which(is.infinite(curves[[name]]) | curves[[name]] < 0)
    if (length(wrong) > 0L) {
      abort_beatbybeat("bad_argument", "`x$", name, "` must be zero or more and finite; element ",
                       wrong[1], " is ", format(curves[[name]][wrong[1]]), ".")
    }
  }
  if (diameters_wanted && !(is.matrix(curves$diameters) && is.numeric(curves$diameters))) {
    abort_beatbybeat("bad_argument", "`x$diameters` must be a matrix of numbers (frame, disk), ",
                     "not ", describe_value(curves$diameters), ".")
  }
  said <- curves$status %in% c(0L, 3L)
  if (any(said) && !any(curves$area[said] > 0, na.rm = TRUE)) {
    abort_beatbybeat("bad_argument", "`x$area` is zero or missing in all ", sum(said), " of the ",
                     count, " frames that `x$status` calls measured: there is no curve. Give the ",
                     "measured areas, or set `status` to 1 (no object) or 2 (not decoded) there.")
  }
}

check_triggers <- function(triggers_s) {
  if (is.null(triggers_s)) {
    return(invisible())
  }
  check_times(triggers_s, "ecg_triggers_s")
  if (length(triggers_s) < 2L) {
    abort_beatbybeat("bad_argument", "`ecg_triggers_s` must hold at least two times, in the ",
                     "seconds of the clip; leave it out where the ECG is not known.")
  }
}

new_beats <- function(curves, method, volume_method, view, calibrated, measurable, reasons,
                      segmentation = NULL, object = "left_ventricle", triggers_s = NULL) {
  area_only <- view %in% area_only_views
  curves$volume <- if (volume_method == "disks" && !area_only) {
    volume_disks(curves$diameters, curves$long_axis)
  } else {
    volume_area_length(curves$area, curves$long_axis)
  }
  curves$size <- if (area_only) curves$area else curves$volume
  curves$usable <- measurable & curves$status %in% c(0L, 3L) &
    !is.na(curves$area) & !is.na(curves$size)
  locate <- if (is.null(triggers_s)) {
    locate_by_minima(beat_methods[[method]])
  } else {
    locate_by_triggers(triggers_s)
  }
  stretches <- lapply(stretches_of(curves$time_s, curves$usable), measure_stretch,
                      curves = curves, locate = locate)
  measures <- join_stretches(stretches, curves)
  frame <- list2DF(list(
    frame = seq_along(curves$time_s), time_s = curves$time_s, status = curves$status,
    usable = curves$usable, area = curves$area, volume = curves$volume,
    long_axis = curves$long_axis, size_smooth = over_clip(stretches, curves, "size"),
    area_smooth = over_clip(stretches, curves, "area"),
    slope = over_clip(stretches, curves, "slope"),
    confidence = curves$confidence
  ))
  beats <- structure(list(
    measures = measures, frames = frame, diameters = curves$diameters,
    correlation = of_longest(stretches, "correlation", NA_real_),
    flickers = is.null(triggers_s) && of_longest(stretches, "flickers", FALSE), method = method,
    volume_method = volume_method, view = view, area_only = area_only,
    calibrated = calibrated, measurable = measurable, reasons = reasons,
    segmentation = segmentation, object = object, triggers_s = triggers_s
  ), class = "beatbybeat_beats")
  complete_beats(beats)
}

# Everything that follows from the beats' times and sizes; again after every edit.
complete_beats <- function(beats) {
  measures <- beats$measures
  measures$fac_percent <- fractional_area_change(measures$area_ed, measures$area_es)
  measures$ef_percent <- if (beats$area_only) {
    rep(NA_real_, nrow(measures))
  } else {
    ejection_fraction(measures$size_ed, measures$size_es)
  }
  rhythm <- beat_rhythm(measures$es_s, measures$stretch)
  measures[names(rhythm)] <- rhythm
  beats$measures <- measures
  beats$es_to_es_s <- measures$cycle_before_s[!is.na(measures$cycle_before_s)]
  beats$flickers <- beats$flickers && is.null(beats$edits) # a reader has seen the beats
  beats$rhythm <- if (beats$flickers) NA_character_ else rhythm_of(beats$es_to_es_s)
  beats$measures$included <- counted_beats(measures, beats$rhythm)
  beats$table <- beat_table(beats$measures, beats$calibrated, beats$area_only)
  beats$warnings <- warnings_of(beats)
  beats
}

# Which beats the mean is over: complete, not excluded by a reader; where the rhythm is regular but
# for premature beats, neither those nor the beats after them, if others are left.
counted_beats <- function(measures, rhythm) {
  counted <- measures$complete & !measures$excluded
  early <- measures$premature | measures$after_premature
  if (identical(rhythm, "regular with premature beats") && any(counted & !early)) {
    counted <- counted & !early
  }
  counted
}

join_stretches <- function(stretches, curves) {
  if (length(stretches) == 0L) {
    stretches <- list(measure_stretch(integer(), curves, locate_by_minima(find_end_systoles)))
  }
  found <- lapply(stretches, `[[`, "beats")
  all <- if (length(found) == 1L) found[[1]] else do.call(rbind, found)
  order <- list(beat = seq_len(nrow(all)), stretch = rep(seq_along(found), vapply(found, nrow, 1L)))
  joined <- list2DF(c(order, all))
  joined$confidence <- as.double(geometric_mean(joined[confidence_part_names]))
  joined$excluded <- rep(FALSE, nrow(joined))
  joined$edited <- rep(FALSE, nrow(joined))
  joined
}
