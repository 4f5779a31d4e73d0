# Counts and draws a cohort's results, and holds them against a reference.

#' Summarise a cohort
#'
#' @param object,x What [analyse_cohort()] returned; or its summary.
#' @param ... Not used; for `plot()`, passed to [graphics::hist()].
#' @return `summary()`: a list of class `summary.beatbybeat_cohort_results`: `n`, `n_failed`,
#'   `n_not_measurable`, `n_no_ef` (measured, and no EF could be given), `n_ef`, `n_incomplete` (EF
#'   from an incomplete beat), `ef_quantiles` (5, 25, 50, 75, 95 %), and the counts `errors`,
#'   `reasons`, `warnings` and `rhythm` as named integers. `plot()`: `x`, invisibly.
#' @examples
#' results <- analyse_cohort(c(example_store(), "lost.zarr"), progress = FALSE)
#' summary(results)
#' plot(results)
#' @export
summary.beatbybeat_cohort_results <- function(object, ...) {
  failed <- !is.na(object$error)
  refused <- !failed & !object$measurable
  ef <- object$ef_percent[is.finite(object$ef_percent)]
  quantiles <- if (length(ef) > 0L) {
    stats::quantile(ef, ef_quantile_levels)
  } else {
    stats::quantile(NA_real_, ef_quantile_levels, na.rm = TRUE)
  }
  structure(list(
    n = nrow(object), n_failed = sum(failed), n_not_measurable = sum(refused),
    n_no_ef = sum(!failed & !refused & is.na(object$ef_percent)), n_ef = length(ef),
    n_incomplete = sum(object$ef_source %in% "an incomplete beat"), ef_quantiles = quantiles,
    errors = count_codes(object$error), reasons = count_codes(object$reasons),
    warnings = count_codes(object$warnings), rhythm = count_codes(object$rhythm)
  ), class = "summary.beatbybeat_cohort_results")
}

ef_quantile_levels <- c(0.05, 0.25, 0.50, 0.75, 0.95)

# How often each code is there, the most frequent first; codes of a row have `;` between them.
count_codes <- function(codes) {
  each <- unlist(strsplit(codes[!is.na(codes)], ";", fixed = TRUE))
  each <- each[nzchar(each)]
  if (length(each) == 0L) {
    return(stats::setNames(integer(), character()))
  }
  counts <- table(each)
  counts <- counts[order(-counts, names(counts))]
  stats::setNames(as.integer(counts), names(counts))
}

#' @rdname summary.beatbybeat_cohort_results
#' @export
print.summary.beatbybeat_cohort_results <- function(x, ...) {
  cat(count_of(x$n, "clip"), ": ", x$n_ef, " with an EF",
      if (x$n_incomplete > 0L) paste0(" (", x$n_incomplete, " from an incomplete beat)"), ", ",
      x$n_no_ef, " without, ", x$n_not_measurable, " not measurable, ", x$n_failed, " failed\n",
      sep = "")
  if (x$n_ef > 0L) {
    q <- formatC(x$ef_quantiles, format = "f", digits = 0)
    cat("  EF: median ", q[3], " %, half of them ", q[2], " to ", q[4], " %, nine in ten ", q[1],
        " to ", q[5], " %\n", sep = "")
  }
  for (what in c("errors", "reasons", "warnings", "rhythm")) {
    counts <- x[[what]]
    if (length(counts) > 0L) {
      cat(strwrap(paste0(what, ": ", paste0(names(counts), " ", counts, collapse = ", ")),
                  width = 88L, initial = "  ", prefix = "    "), sep = "\n")
    }
  }
  invisible(x)
}

#' @export
print.beatbybeat_cohort_results <- function(x, ...) {
  cat("<beatbybeat_cohort_results> ")
  print(summary(x))
  invisible(x)
}

#' @rdname summary.beatbybeat_cohort_results
#' @export
plot.beatbybeat_cohort_results <- function(x, ...) {
  ef <- x$ef_percent[is.finite(x$ef_percent)]
  old <- graphics::par(mar = c(3.4, 3.6, 1, 0.6), mgp = c(2.2, 0.5, 0), las = 1, tcl = -0.25,
                       fg = ink$text, col.axis = ink$text, col.lab = ink$text)
  on.exit(graphics::par(old))
  if (length(ef) == 0L) {
    graphics::plot(c(0, 100), c(0, 1), type = "n", bty = "n", yaxt = "n", xlab = "EF (%)",
                   ylab = "Clips")
    graphics::text(50, 0.5, "no clip has an EF", col = ink$text)
    return(invisible(x))
  }
  graphics::hist(pmin(pmax(ef, 0), 100), breaks = seq(0, 100, by = 2.5), col = ink$dot,
                 border = "white", main = "", xlab = "EF (%)", ylab = "Clips", ...)
  graphics::abline(v = c(40, 50), col = ink$text, lty = 3)
  graphics::rug(pmin(pmax(ef, 0), 100), col = ink$line, quiet = TRUE)
  invisible(x)
}

#' Agreement of a cohort with a reference
#'
#' Holds the EF of a cohort against a column of reference values, by patient: limits of agreement,
#' errors, concordance, and the areas under the curve for an EF below 35, 40 and 50 %.
#'
#' @param results What [analyse_cohort()] returned.
#' @param reference Name of the column that holds the reference EF in percent.
#' @param subject Name of the column that holds the patient. By default `subject_key` where every
#'   store has one, else every clip is taken for another patient. Where a patient has several clips
#'   the limits are those for repeated measurements, and all else is over patients' means.
#' @param measured Name of the column of measured values.
#' @param level Confidence level.
#' @param seed Seed of the bootstrap.
#' @return A list of objects, each with `print()`, `plot()` and `as.data.frame()`: `bland_altman`,
#'   `errors`, `ccc`, and `auc`, a list named by the threshold, without those that fewer than two
#'   patients lie below or above. With it `n`, `left_out` and `by` (`"patient"` or `"clip"`).
#' @examples
#' results <- analyse_cohort(c(example_store(), "lost.zarr"), progress = FALSE)
#' # A cohort of one clip is none: here are four with an EF, and references for them
#' four <- results[c(1, 1, 1, 1), ]
#' four$ef_percent <- c(38, 47, 56, 63)
#' four$subject_key <- letters[1:4]
#' four$ef_reference <- c(35, 49, 57, 60)
#' cohort_agreement(four, "ef_reference")$bland_altman
#' @export
cohort_agreement <- function(results, reference, subject = NULL, measured = "ef_percent",
                             level = 0.95, seed = 1) {
  check_class(results, "beatbybeat_cohort_results", "results", "make it with analyse_cohort()")
  y <- cohort_column(results, reference, "reference")
  x <- cohort_column(results, measured, "measured")
  check_numeric(y, reference)
  check_numeric(x, measured)
  kept <- is.finite(x) & is.finite(y)
  key <- patient_column(results, subject, kept)
  repeated <- anyDuplicated(key[kept]) > 0L
  pairs <- complete_pairs(x, y, key)
  below <- stats::setNames(ef_thresholds, paste0("below_", ef_thresholds))
  auc <- lapply(below, function(threshold) {
    mean_y <- stats::ave(pairs$reference, pairs$subject)
    positive <- mean_y < threshold
    cases <- vapply(split(positive, as.character(pairs$subject)), `[`, NA, 1L)
    if (min(sum(cases), sum(!cases)) >= 2L) {
      auc_delong(pairs$measured, positive, pairs$subject, cutoff = threshold, level = level)
    }
  })
  list(
    bland_altman = if (repeated) {
      bland_altman_repeated(x, y, key, level = level)
    } else {
      bland_altman(x, y, key, level = level)
    },
    errors = measurement_errors(x, y, key, level = level, seed = seed),
    ccc = concordance_correlation(x, y, key, level = level),
    auc = Filter(Negate(is.null), auc), n = length(unique(key[kept])), left_out = sum(!kept),
    by = if (is.null(subject) && identical(key, results$id)) "clip" else "patient"
  )
}

ef_thresholds <- c(35, 40, 50)

cohort_column <- function(results, name, argument) {
  check_string(name, argument)
  if (!name %in% names(results)) {
    abort_beatbybeat("bad_argument", "`", argument, "` must name a column of the results, not \"",
                     name, "\"; they have ", paste0("`", names(results), "`", collapse = ", "),
                     ".")
  }
  results[[name]]
}

# The patient of each row. The stores' keys serve where all rows that count have one; else patients
# cannot be told apart, and every clip stands for itself.
patient_column <- function(results, subject, kept) {
  if (is.null(subject)) {
    key <- results$subject_key
    return(if (anyNA(key[kept])) results$id else ifelse(is.na(key), results$id, key))
  }
  key <- cohort_column(results, subject, "subject")
  if (anyNA(key[kept])) {
    abort_beatbybeat("bad_argument", "`subject`: the column ", subject, " has no patient in row ",
                     which(is.na(key) & kept)[1], ", which has both values.")
  }
  ifelse(is.na(key), results$id, key)
}
