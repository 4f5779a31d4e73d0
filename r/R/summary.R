# Summarises the beats of a clip into one EF with its spread and interval.

#' Summarise the beats of a clip
#'
#' The mean EF over complete beats with its standard deviation and t interval (95 %; see
#' [mean_interval()]), cut at 0 and 100 %. Without a complete beat, the EF of the incomplete beat
#' with the highest confidence, without an interval; `ef_source` says which.
#'
#' @param object,x What [detect_beats()] returned; or its summary.
#' @param digits Decimals of percentages.
#' @param ... Not used.
#' @return A list of class `summary.beatbybeat_beats`: `ef_percent`, `ef_sd`, `ef_se` (standard
#'   error of the mean), `ef_low`, `ef_high`,
#'   `ef_source` (`"complete beats"`, `"an incomplete beat"` or `NA`), `n_beats`, `n_complete`,
#'   `edv_ml`, `esv_ml` (means over the same beats), `fac_percent` (PLAX, PSAX), `heart_rate_bpm`,
#'   `rhythm` (`"regular"`, `"regular with premature beats"`, `"irregular"`, `NA`), `measurable`,
#'   `reasons`, `warnings`; and beside the mean: `n_included` (beats in it),
#'   `ef_all_beats_percent` (with premature beats and those after them), `ef_index_beat_percent`
#'   and `n_index_beats` (beats after two cycles that differ by at most 60 ms: the index beats of
#'   atrial fibrillation).
#' @references Bunting KV et al. Reproducibility of echocardiography in atrial fibrillation: the
#'   index beat of RATE-AF, 2021 (the 60 ms rule).
#' @examples
#' store <- example_store()
#' summary(detect_beats(read_segmentation(store)))
#' @export
summary.beatbybeat_beats <- function(object, ...) {
  table <- object$table
  used <- beats_in_summary(object)
  ef <- mean_interval(table$ef_percent[used], limits = c(0, 100))
  average <- function(values) mean_interval(values[used])[["mean"]]
  fac <- if (object$area_only) average(object$measures$fac_percent) else NA_real_
  all_ef <- mean_interval(table$ef_percent[table$complete & !object$measures$excluded])
  index <- is_index_beat(table$cycle_before_s, object$measures$stretch) & table$included
  structure(list(
    ef_percent = ef[["mean"]], ef_sd = ef[["sd"]], ef_se = ef[["sd"]] / sqrt(ef[["n"]]),
    ef_low = ef[["low"]], ef_high = ef[["high"]],
    ef_source = source_of(given = !is.na(ef[["mean"]]) || !is.na(fac), table$complete[used]),
    n_beats = nrow(table), n_complete = sum(table$complete), n_included = sum(table$included),
    ef_all_beats_percent = all_ef[["mean"]],
    ef_index_beat_percent = mean_interval(table$ef_percent[index])[["mean"]],
    n_index_beats = sum(index),
    edv_ml = average(table$edv_ml), esv_ml = average(table$esv_ml), fac_percent = fac,
    heart_rate_bpm = heart_rate(object), rhythm = object$rhythm,
    view = object$view, area_only = object$area_only, measurable = object$measurable,
    reasons = object$reasons, warnings = object$warnings
  ), class = "summary.beatbybeat_beats")
}

# Rows of the beats that the summary is over: complete ones, else the best incomplete one.
beats_in_summary <- function(beats) {
  if (any(beats$table$included)) {
    return(which(beats$table$included))
  }
  value <- if (beats$area_only) beats$measures$fac_percent else beats$table$ef_percent
  usable <- which(!is.na(value) & !beats$measures$excluded)
  utils::head(usable[order(beats$measures$edge[usable], -beats$table$confidence[usable])], 1L)
}

source_of <- function(given, complete) {
  if (!given) {
    return(NA_character_)
  }
  if (all(complete)) "complete beats" else "an incomplete beat"
}

count_of <- function(n, noun) paste0(n, " ", noun, if (n != 1L) "s")

format_ef <- function(summary, digits = 0L) {
  rounded <- function(x) formatC(x, format = "f", digits = digits)
  if (is.na(summary$ef_percent)) {
    return("not given")
  }
  text <- paste0(rounded(summary$ef_percent), " %")
  if (!is.na(summary$ef_low)) {
    text <- paste0(text, " (95 % interval ", rounded(summary$ef_low), " to ",
                   rounded(summary$ef_high), ")")
  }
  text
}

#' @rdname summary.beatbybeat_beats
#' @export
print.summary.beatbybeat_beats <- function(x, digits = 0L, ...) {
  if (!x$measurable) {
    cat("Not measurable: no EF.\n")
    cat(paste0("  ", x$reasons$code, ": ", x$reasons$message, "\n"), sep = "")
    print_warnings(x$warnings)
    return(invisible(x))
  }
  if (x$area_only) {
    fac <- formatC(x$fac_percent, format = "f", digits = digits)
    said <- if (is.na(x$fac_percent)) "not given" else paste(fac, "% (not an ejection fraction)")
    cat("Fractional area change: ", said, "\n", sep = "")
  } else {
    cat("Ejection fraction: ", format_ef(x, digits), "\n", sep = "")
  }
  from <- if (identical(x$ef_source, "complete beats")) {
    paste0("  from ", count_of(x$n_included, "complete beat"),
           if (!is.na(x$ef_sd)) sprintf("; SD %.1f points", x$ef_sd))
  } else if (is.na(x$ef_source)) {
    "  no beat could be measured"
  } else {
    "  from an incomplete beat"
  }
  cat(from, "\n", sep = "")
  if (x$n_included < x$n_complete && !is.na(x$ef_all_beats_percent)) {
    cat("  ", count_of(x$n_complete - x$n_included, "complete beat"), " left out; EF of all ",
        formatC(x$ef_all_beats_percent, format = "f", digits = digits), " %\n", sep = "")
  }
  if (identical(x$rhythm, "irregular") && x$n_index_beats > 0L &&
        !is.na(x$ef_index_beat_percent)) {
    cat("  EF of ", count_of(x$n_index_beats, "index beat"), " ",
        formatC(x$ef_index_beat_percent, format = "f", digits = digits), " %\n", sep = "")
  }
  if (!is.na(x$edv_ml)) {
    cat(sprintf("  EDV %.0f mL, ESV %.0f mL\n", x$edv_ml, x$esv_ml))
  }
  if (!is.na(x$heart_rate_bpm)) {
    cat(sprintf("  heart rate %.0f bpm", x$heart_rate_bpm),
        if (!is.na(x$rhythm)) paste0(", ", x$rhythm), "\n", sep = "")
  }
  print_warnings(x$warnings)
  invisible(x)
}

print_warnings <- function(warnings) {
  for (message in warnings$message) {
    cat(strwrap(message, width = 80L, initial = "  ! ", prefix = "    "), sep = "\n")
  }
}

#' @export
print.beatbybeat_beats <- function(x, digits = 2L, ...) {
  name <- if (is.null(x$segmentation)) "a table of frames" else basename(x$segmentation$path)
  cat("<beatbybeat_beats> ", name, ": ", count_of(nrow(x$table), "beat"), ", ",
      sum(x$table$complete), " complete (view ", x$view, ", method ", x$method, ", ",
      if (x$area_only) "areas" else sub("_", "-", x$volume_method), ")\n", sep = "")
  if (nrow(x$table) > 0L) {
    shown <- x$table
    numbers <- vapply(shown, is.double, logical(1))
    shown[numbers] <- lapply(shown[numbers], round, digits = digits)
    empty <- vapply(shown, function(column) all(is.na(column)), logical(1))
    quiet <- names(shown) %in% c("premature", "after_premature", "edited") &
      !vapply(shown, function(column) any(column %in% TRUE), logical(1))
    quiet <- quiet | names(shown) == "cycle_before_s" |
      (names(shown) == "included" & identical(shown$included, shown$complete))
    print(shown[!empty & !quiet], row.names = FALSE)
  }
  print(summary(x))
  invisible(x)
}
