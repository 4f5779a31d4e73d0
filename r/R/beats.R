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
#'    peak of at least 0.85 of the highest.
#' 4. ES are minima, on the curve smoothed over 0.35 T (0.14 to 0.35 s), with a prominence of at
#'    least 0.35 of its range (5th to 95th percentile; 0.20 on a side that the clip's edge cuts
#'    off) and a spacing of at least 0.4 T (0.273 to
#'    0.40 s).
#' 5. ED is the maximum between two ES. A beat is complete only if its ED, its ES and the next ED
#'    lie inside the clip: an ED at an edge counts only if the curve falls again beyond it.
#' 6. The volume of ED and ES is the extreme of the *volume curve after light smoothing* (local
#'    cubic over 0.25 T, 0.10 to 0.30 s), ES within 0.08 s of the detected one. Raw extremes of
#'    noisy frames are farther apart than the heart's: on simulated curves they overestimate EF by
#'    3.8 points on average, this choice by -0.2.
#'
#' A beat that the clip's edge cuts has `complete = FALSE`. It has an EF if its ED (before or after
#' its ES) is seen, or if the clip holds at least 0.25 s before or 0.40 s after the ES; otherwise
#' none.
#'
#' `method = "echonet"` finds ES by the rule in the EchoNet-Dynamic code, in frames and with the
#' fault of its trimmed range, for comparison only; everything after step 4 is the same.
#'
#' @section What is not given:
#' Without calibration, volumes in mL are `NA` and the relative ones (largest EDV = 1) remain. Views
#' PLAX and PSAX have no volume and no EF, but a fractional area change
#' (`x$measures$fac_percent`). An object that the store calls not measurable has no beats;
#' `x$reasons` says why.
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
#' @param ... For methods.
#' @return An object of class `beatbybeat_beats`. `as.data.frame()` gives one row for each beat:
#'   `beat`, `ed_s`, `es_s` (times, s), `cycle_s` (ED to next ED, s; complete beats only),
#'   `hr_bpm`, `edv_ml`, `esv_ml`, `edv_relative`, `esv_relative` (largest EDV = 1), `ef_percent`,
#'   `complete`, `confidence` (0 to 1, an order and not a probability).
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
                                                 object = "left_ventricle", ...) {
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
    reasons = reasons_of(x, object), segmentation = x, object = object
  )
}

# (object, frame, disk) -> (frame, disk)
slice_object <- function(values, at) {
  matrix(values[at, , ], nrow = dim(values)[2], ncol = dim(values)[3])
}

#' @rdname detect_beats
#' @export
detect_beats.data.frame <- function(x, method = "beatbybeat", volume_method = "area_length",
                                    view = "unknown", calibrated = FALSE, ...) {
  check_choice(method, names(beat_methods), "method")
  check_choice(volume_method, volume_methods, "volume_method")
  check_choice(view, views, "view")
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
    area = check_numeric(x$area, "x$area"), long_axis = column("long_axis", NA_real_),
    diameters = x[["diameters"]], confidence = column("confidence", NA_real_)
  )
  new_beats(curves,
    method = method, volume_method = volume_method, view = view, calibrated = calibrated,
    measurable = TRUE, reasons = data.frame(code = character(), message = character())
  )
}

#' @export
detect_beats.default <- function(x, ...) {
  abort_beatbybeat("bad_argument", "`x` must be a segmentation or a data frame, not ",
                   describe_value(x), "; open a store with read_segmentation().")
}

area_only_views <- c("PLAX", "PSAX")

new_beats <- function(curves, method, volume_method, view, calibrated, measurable, reasons,
                      segmentation = NULL, object = "left_ventricle") {
  area_only <- view %in% area_only_views
  curves$volume <- if (volume_method == "disks" && !area_only) {
    volume_disks(curves$diameters, curves$long_axis)
  } else {
    volume_area_length(curves$area, curves$long_axis)
  }
  curves$size <- if (area_only) curves$area else curves$volume
  curves$usable <- measurable & curves$status %in% c(0L, 3L) &
    !is.na(curves$area) & !is.na(curves$size)
  stretches <- lapply(stretches_of(curves$time_s, curves$usable), measure_stretch,
                      curves = curves, find = beat_methods[[method]])
  measures <- join_stretches(stretches, curves, area_only)
  frame <- data.frame(
    frame = seq_along(curves$time_s), time_s = curves$time_s, status = curves$status,
    usable = curves$usable, area = curves$area, volume = curves$volume,
    size_smooth = spread_smooth(stretches, length(curves$time_s))
  )
  beats <- structure(list(
    table = beat_table(measures, calibrated, area_only),
    measures = measures, frames = frame, es_to_es_s = es_to_es(measures),
    correlation = longest_correlation(stretches), method = method,
    volume_method = volume_method, view = view, area_only = area_only,
    calibrated = calibrated, measurable = measurable, reasons = reasons,
    segmentation = segmentation, object = object
  ), class = "beatbybeat_beats")
  beats$warnings <- warnings_of(beats)
  beats
}

join_stretches <- function(stretches, curves, area_only) {
  joined <- do.call(rbind, lapply(seq_along(stretches), function(i) {
    beats <- stretches[[i]]$beats
    cbind(stretch = rep(i, nrow(beats)), beats)
  }))
  if (is.null(joined)) {
    nothing <- measure_stretch(integer(), curves, find_end_systoles)$beats
    joined <- cbind(stretch = integer(), nothing)
  }
  joined <- cbind(beat = seq_len(nrow(joined)), joined)
  joined$confidence <- as.double(geometric_mean(joined[confidence_part_names]))
  joined$fac_percent <- fractional_area_change(joined$area_ed, joined$area_es)
  joined$ef_percent <- if (area_only) {
    rep(NA_real_, nrow(joined))
  } else {
    ejection_fraction(joined$size_ed, joined$size_es)
  }
  joined
}

beat_table <- function(measures, calibrated, area_only) {
  missing <- rep(NA_real_, nrow(measures))
  volume <- function(size) if (calibrated && !area_only) size else missing
  largest <- suppressWarnings(max(measures$size_ed, na.rm = TRUE))
  relative <- function(size) if (area_only) missing else size / largest
  # An end-systole without an end-diastole is no volume of a beat.
  size_es <- ifelse(is.na(measures$ed_s), NA_real_, measures$size_es)
  data.frame(
    beat = measures$beat, ed_s = measures$ed_s, es_s = measures$es_s,
    cycle_s = measures$cycle_s, hr_bpm = 60 / measures$cycle_s,
    edv_ml = volume(measures$size_ed), esv_ml = volume(size_es),
    edv_relative = relative(measures$size_ed), esv_relative = relative(size_es),
    ef_percent = measures$ef_percent, complete = measures$complete,
    confidence = measures$confidence
  )
}

spread_smooth <- function(stretches, count) {
  smooth <- rep(NA_real_, count)
  for (stretch in stretches) {
    smooth[stretch$frames] <- stretch$size
  }
  smooth
}

# Intervals between neighbouring end-systoles of one stretch, in seconds: surrogates of RR.
es_to_es <- function(measures) {
  by_stretch <- split(measures$es_s, measures$stretch)
  as.double(unlist(lapply(by_stretch, diff), use.names = FALSE))
}

longest_correlation <- function(stretches) {
  if (length(stretches) == 0L) {
    return(NA_real_)
  }
  frames <- vapply(stretches, function(s) length(s$frames), integer(1))
  stretches[[which.max(frames)]]$correlation
}

# Beats per minute over the whole clip: of the median interval, or of the mean one where the
# rhythm is irregular; of complete beats' cycles where there is no second end-systole.
heart_rate <- function(beats) {
  cycles_s <- beats$es_to_es_s
  if (length(cycles_s) == 0L) {
    cycles_s <- beats$table$cycle_s[beats$table$complete]
  }
  if (length(cycles_s) == 0L) {
    return(NA_real_)
  }
  irregular <- identical(rhythm_of(cycles_s), "irregular")
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
