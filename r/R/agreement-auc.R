# Area under the receiver operating curve with DeLong's interval, and a cut-off set beforehand.

#' Area under the ROC curve
#'
#' The probability that a patient with the condition has a more telling value than one without
#' (ties count half), with DeLong's interval from the variances of the placement values, cut at 0
#' and 1. With `cutoff`, which must be chosen before looking at the data: sensitivity and
#' specificity with Wilson's intervals.
#'
#' @param value Measured numbers, such as EF in percent.
#' @param positive Does the patient have the condition, by the reference? `TRUE` or `FALSE`.
#' @param subject Patient of each row, or `NULL`. A patient's values are averaged; `positive` must
#'   be the same in all rows of a patient.
#' @param tells `"low"` if low values tell of the condition (EF), `"high"` if high ones do.
#' @param cutoff Values beyond this one (below it for `"low"`, above for `"high"`) are called
#'   positive; or `NULL`.
#' @param level Confidence level.
#' @return An object of class `beatbybeat_auc`. `as.data.frame()` gives `statistic` (`auc`,
#'   `prevalence`, and with a cut-off `sensitivity`, `specificity`), `estimate`, `low`, `high`.
#'   Where the two groups do not overlap at all DeLong's variance is zero and the interval of the
#'   AUC is `NA`.
#' @references DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837-845.
#'   \doi{10.2307/2531595}
#'
#'   Wilson EB. J Am Stat Assoc 1927;22:209-212. \doi{10.1080/01621459.1927.10502953}
#' @examples
#' reference <- c(28, 35, 38, 45, 47, 52, 55, 58, 61, 66)
#' measured <- reference + c(4, -3, 9, 8, -2, 1, -6, 3, 2, -1)
#' auc_delong(measured, reference < 50, cutoff = 50)
#' @export
auc_delong <- function(value, positive, subject = NULL, tells = "low", cutoff = NULL,
                       level = 0.95) {
  check_level(level)
  check_choice(tells, c("low", "high"), "tells")
  check_numeric(value, "value")
  if (!is.logical(positive) || length(positive) != length(value)) {
    abort_beatbybeat("bad_argument", "`positive` must be TRUE or FALSE for each of the ",
                     length(value), " values, not ", describe_value(positive), ".")
  }
  check_subject(subject, length(value))
  if (!is.null(cutoff)) check_numeric(cutoff, "cutoff", 1L)
  kept <- is.finite(value) & !is.na(positive)
  patients <- patient_cases(value[kept], positive[kept],
                            if (is.null(subject)) seq_len(sum(kept)) else subject[kept])
  estimates <- auc_table(patients, tells, cutoff, level)
  new_agreement("auc", estimates, n = nrow(patients), rows = sum(kept), left_out = sum(!kept),
                level = level, tells = tells, cutoff = cutoff, patients = patients)
}

patient_cases <- function(value, positive, subject) {
  group <- factor(subject, unique(subject))
  share <- vapply(split(positive, group), mean, double(1))
  if (any(share > 0 & share < 1)) {
    abort_beatbybeat("bad_argument", "`positive` differs between rows of patient ",
                     names(share)[share > 0 & share < 1][1], "; it must be one for a patient.")
  }
  positive <- unname(share == 1)
  if (sum(positive) < 2L || sum(!positive) < 2L) {
    abort_beatbybeat("bad_argument", "`positive` has ", sum(positive), " patient",
                     if (sum(positive) != 1L) "s", " with the condition and ", sum(!positive),
                     " without; at least 2 of each are needed.")
  }
  data.frame(value = unname(vapply(split(value, group), mean, double(1))), positive = positive)
}

auc_table <- function(patients, tells, cutoff, level) {
  sign <- if (tells == "low") -1 else 1
  ill <- sign * patients$value[patients$positive]
  well <- sign * patients$value[!patients$positive]
  z <- stats::qnorm(0.5 + level / 2)
  delong <- delong_auc(ill, well)
  half <- z * delong[["se"]]
  limits <- if (half > 0) {
    pmin(pmax(delong[["auc"]] + c(-half, half), 0), 1)
  } else {
    c(NA_real_, NA_real_)
  }
  share_row <- function(name, hits) {
    range <- wilson_interval(sum(hits), length(hits), z)
    estimate_row(name, mean(hits), range[1], range[2])
  }
  rbind(
    estimate_row("auc", delong[["auc"]], limits[1], limits[2]),
    share_row("prevalence", patients$positive),
    if (!is.null(cutoff)) {
      rbind(share_row("sensitivity", ill > sign * cutoff),
            share_row("specificity", well <= sign * cutoff))
    }
  )
}

# c(auc, se) where larger scores tell of the condition; ranks in place of all pairs.
delong_auc <- function(ill, well) {
  m <- length(ill)
  n <- length(well)
  all <- rank(c(ill, well))
  # The share of the other group that each value beats.
  beats_well <- (all[seq_len(m)] - rank(ill)) / n
  beaten_by_ill <- 1 - (all[m + seq_len(n)] - rank(well)) / m
  c(auc = mean(beats_well),
    se = sqrt(stats::var(beats_well) / m + stats::var(beaten_by_ill) / n))
}

wilson_interval <- function(hits, n, z) {
  p <- hits / n
  centre <- (p + z^2 / (2 * n)) / (1 + z^2 / n)
  half <- z / (1 + z^2 / n) * sqrt(p * (1 - p) / n + z^2 / (4 * n^2))
  c(max(0, centre - half), min(1, centre + half))
}

# Points of the curve: share of well called positive, share of ill called positive.
roc_points <- function(patients, tells) {
  sign <- if (tells == "low") -1 else 1
  score <- sign * patients$value
  at <- sort(unique(score), decreasing = TRUE)
  share <- function(group) vapply(at, function(limit) mean(group >= limit), double(1))
  data.frame(false_positive = c(0, share(score[!patients$positive])),
             true_positive = c(0, share(score[patients$positive])))
}
