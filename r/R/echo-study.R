# Joins the four- and two-chamber clips of one examination into biplane volumes.

#' Biplane volumes from two views
#'
#' Joins the apical four- and two-chamber clips of one examination. The clips show different beats,
#' so beats are paired by phase: the first complete beat of one with the first of the other and so
#' on, end-diastole with end-diastole and end-systole with end-systole. Each pair gives
#' \eqn{V = \frac{\pi}{4} \frac{L}{20} \sum a_i b_i} with \eqn{L} the longer axis.
#'
#' Long axes at end-diastole more than 10 % apart are flagged as foreshortening: the shorter view
#' misses the apex, and the volume is too small. Without calibration of both views there is no
#' biplane volume and no biplane EF, since lengths of the two cannot be compared; the views' own EF
#' remain.
#'
#' @param a4c,a2c A store's path, what [read_segmentation()] returned, or what [detect_beats()]
#'   returned; of the four- and of the two-chamber view.
#' @param rate_tolerance_percent Heart rates of the two clips farther apart than this are an error:
#'   the pairs would be of different states.
#' @return An object of class `beatbybeat_study`: `table` (one row a pair: `pair`, `beat_a4c`,
#'   `beat_a2c`, `edv_ml`, `esv_ml`, `ef_percent`, `long_axis_a4c_cm`, `long_axis_a2c_cm`,
#'   `length_difference_percent`, `foreshortened`), `ef` (see [mean_interval()]), `edv_ml`,
#'   `esv_ml`, `reason` (`NA`, `uncalibrated` or `no_complete_pair`), `warnings`, and the beats of
#'   the views as `a4c` and `a2c`.
#' @section Errors:
#' `beatbybeat_study_mismatch` where views, subject keys or heart rates do not belong together, and
#' those of [read_segmentation()].
#' @references Lang RM et al. J Am Soc Echocardiogr 2015;28:1-39.
#'   \doi{10.1016/j.echo.2014.10.003}
#' @examples
#' # The example store stands for both views here.
#' beats <- detect_beats(read_segmentation(example_store()))
#' two <- beats
#' two$view <- "A2C"
#' echo_study(a4c = beats, a2c = two)
#' @export
echo_study <- function(a4c, a2c, rate_tolerance_percent = 20) {
  check_positive(rate_tolerance_percent, "rate_tolerance_percent")
  a4c <- beats_of_view(a4c, "a4c", "A4C")
  a2c <- beats_of_view(a2c, "a2c", "A2C")
  check_one_subject(a4c, a2c)
  check_heart_rates(a4c, a2c, rate_tolerance_percent)
  table <- biplane_pairs(a4c, a2c)
  calibrated <- a4c$calibrated && a2c$calibrated
  if (!calibrated) {
    unknown <- setdiff(names(table), c("pair", "beat_a4c", "beat_a2c", "foreshortened"))
    table[unknown] <- lapply(table[unknown], function(column) rep(NA_real_, length(column)))
    table$foreshortened <- rep(NA, nrow(table))
  }
  ef <- mean_interval(table$ef_percent, limits = c(0, 100))
  study <- structure(list(
    table = table, ef = ef, edv_ml = mean_interval(table$edv_ml)[["mean"]],
    esv_ml = mean_interval(table$esv_ml)[["mean"]], a4c = a4c, a2c = a2c,
    reason = if (nrow(table) == 0L) {
      "no_complete_pair"
    } else if (!calibrated) {
      "uncalibrated"
    } else {
      NA_character_
    }
  ), class = "beatbybeat_study")
  study$warnings <- study_warnings(study)
  study
}

beats_of_view <- function(x, name, view) {
  if (is.character(x)) x <- read_segmentation(x)
  if (inherits(x, "beatbybeat_segmentation")) x <- detect_beats(x, volume_method = "disks")
  check_class(x, "beatbybeat_beats", name, "give a store's path, a segmentation or its beats")
  if (!x$view %in% c(view, "unknown")) {
    abort_beatbybeat("study_mismatch", "`", name, "` is of the view ", x$view, ", not ", view,
                     "; are the two arguments exchanged?")
  }
  if (is.null(x$diameters)) {
    abort_beatbybeat("bad_argument", "`", name, "` has no disks: a table of frames needs the ",
                     "column `diameters`.")
  }
  x
}

check_one_subject <- function(a4c, a2c) {
  keys <- lapply(list(a4c, a2c), function(x) x$segmentation$attributes[["subject_key"]])
  if (!is.null(keys[[1]]) && !is.null(keys[[2]]) && !identical(keys[[1]], keys[[2]])) {
    abort_beatbybeat("study_mismatch", "`a2c` has another `subject_key` than `a4c`: the two are ",
                     "not of one patient; take two clips of one examination.")
  }
}

check_heart_rates <- function(a4c, a2c, tolerance_percent) {
  rates <- c(heart_rate(a4c), heart_rate(a2c))
  apart <- 100 * abs(diff(rates)) / mean(rates)
  if (!is.na(apart) && apart > tolerance_percent) {
    abort_beatbybeat("study_mismatch", "`a2c` has a heart rate of ", round(rates[2]), " bpm and ",
                     "`a4c` of ", round(rates[1]), ": more than ", tolerance_percent,
                     " % apart; take clips of one state, or raise `rate_tolerance_percent`.")
  }
}

foreshortening_percent <- 10

biplane_pairs <- function(a4c, a2c) {
  rows <- lapply(list(a4c, a2c), function(x) which(x$table$included))
  count <- min(lengths(rows))
  rows <- lapply(rows, utils::head, count)
  four <- disks_at(a4c, rows[[1]])
  two <- disks_at(a2c, rows[[2]])
  if (count == 0L) {
    edv <- esv <- double()
  } else {
    edv <- volume_biplane_disks(four$ed, two$ed, four$length_ed, two$length_ed)
    esv <- volume_biplane_disks(four$es, two$es, four$length_es, two$length_es)
  }
  apart <- 100 * abs(four$length_ed - two$length_ed) / pmax(four$length_ed, two$length_ed)
  data.frame(
    pair = seq_len(count), beat_a4c = a4c$table$beat[rows[[1]]],
    beat_a2c = a2c$table$beat[rows[[2]]], edv_ml = edv, esv_ml = esv,
    ef_percent = ejection_fraction(edv, esv), long_axis_a4c_cm = four$length_ed,
    long_axis_a2c_cm = two$length_ed, length_difference_percent = apart,
    foreshortened = apart > foreshortening_percent
  )
}

# Disks (beat, disk) and long axes at ED and ES, read as all sizes are.
disks_at <- function(x, rows) {
  measures <- x$measures[rows, ]
  frames <- x$frames
  known <- frames$usable & rowSums(is.na(x$diameters)) == 0
  read <- function(at_s) {
    if (length(at_s) == 0L || !any(known)) {
      return(matrix(NA_real_, length(at_s), ncol(x$diameters)))
    }
    columns <- lapply(seq_len(ncol(x$diameters)), function(disk) {
      local_parabola(frames$time_s[known], x$diameters[known, disk], at_s, disk_half_s)
    })
    matrix(unlist(columns), length(at_s))
  }
  list(ed = read(measures$ed_s), es = read(measures$es_s),
       length_ed = long_axis_at(x, measures$ed_s), length_es = long_axis_at(x, measures$es_s))
}

disk_half_s <- 0.03

study_warnings <- function(study) {
  short <- which(study$table$foreshortened %in% TRUE)
  view <- function(code, x) {
    if (nrow(x$warnings) > 0L) {
      data.frame(code = x$warnings$code, message = paste0(code, ": ", x$warnings$message))
    }
  }
  found <- list(
    data.frame(code = character(), message = character()),
    if (length(short) > 0L) {
      shorter <- if (mean(study$table$long_axis_a4c_cm[short]) <
                       mean(study$table$long_axis_a2c_cm[short])) "A4C" else "A2C"
      one_warning("foreshortened", "Long axes differ by more than ", foreshortening_percent,
                  " % in ", length(short), " of ", nrow(study$table), " pairs: the ", shorter,
                  " view is foreshortened, and volumes are too small.")
    },
    if (identical(study$reason, "uncalibrated")) {
      one_warning("uncalibrated", "Not both views are calibrated: no biplane volume and no ",
                  "biplane EF.")
    },
    if (identical(study$reason, "no_complete_pair")) {
      one_warning("no_complete_pair", "One of the views has no complete beat: no biplane volume.")
    } else if (nrow(study$table) < few_beats) {
      one_warning("few_beats", "Only ", count_of(nrow(study$table), "pair"), " of beats: at ",
                  "least ", few_beats, " are wanted.")
    },
    view("A4C", study$a4c), view("A2C", study$a2c)
  )
  do.call(rbind, found)
}

#' @export
as.data.frame.beatbybeat_study <- function(x, row.names = NULL, # nolint: object_name_linter.
                                           optional = FALSE, ...) {
  table <- x$table
  if (!is.null(row.names)) {
    row.names(table) <- row.names
  }
  table
}

#' @export
print.beatbybeat_study <- function(x, digits = 0L, ...) {
  rounded <- function(v, d = digits) formatC(v, format = "f", digits = d)
  cat("<beatbybeat_study> biplane disks, ", count_of(nrow(x$table), "pair"), " of beats\n",
      sep = "")
  if (is.na(x$ef[["mean"]])) {
    cat("Biplane ejection fraction: not given (", x$reason, ")\n", sep = "")
  } else {
    cat("Biplane ejection fraction: ", rounded(x$ef[["mean"]]), " %",
        if (!is.na(x$ef[["low"]])) {
          paste0(" (95 % interval ", rounded(x$ef[["low"]]), " to ", rounded(x$ef[["high"]]), ")")
        }, "\n", sep = "")
    cat("  EDV ", rounded(x$edv_ml), " mL, ESV ", rounded(x$esv_ml), " mL\n", sep = "")
  }
  for (view in c("a4c", "a2c")) {
    cat("  ", toupper(view), " alone: ", format_ef(summary(x[[view]]), digits), "\n", sep = "")
  }
  print_warnings(x$warnings[x$warnings$code != "research_weights", ])
  invisible(x)
}
