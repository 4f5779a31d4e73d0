# Limits of agreement where patients have several pairs of measurements.

#' Bland-Altman limits with repeated measurements
#'
#' For several pairs a patient (beats, visits, readers). The differences of a patient are alike, so
#' their variance has a part between patients and one within, and the limits are
#' \eqn{\bar d \pm z \sqrt{s_b^2 + s_w^2}}.
#'
#' `true_value = "varies"`: the two measurements of a row belong together (the same beat). With
#' \eqn{s_{\bar d}^2} the variance of the patients' mean differences, \eqn{s_w^2} the pooled
#' variance within patients and \eqn{m_h} the harmonic mean of the numbers of pairs, the total
#' variance is \eqn{s_{\bar d}^2 + (1 - 1/m_h) s_w^2}, which for equal numbers is that of the
#' analysis of variance in Bland and Altman 2007.
#'
#' `true_value = "constant"`: replicates of one unchanging quantity, that do not belong together
#' row by row: \eqn{s_{\bar d}^2 + (1 - 1/m_x) s_{xw}^2 + (1 - 1/m_y) s_{yw}^2}, each method with
#' its own variance within patients; there may be more of one method than of the other (the rest
#' `NA`).
#'
#' The bias is the mean over patients of their mean differences: each patient counts once, however
#' many beats there are. Intervals of the limits are by the method of variance estimates recovery
#' (Zou 2013).
#'
#' @inheritParams bland_altman
#' @param measured,reference Numbers, one each for every row.
#' @param subject Patient of each row.
#' @param true_value `"varies"` or `"constant"`, within a patient.
#' @return As [bland_altman()], with the rows `sd` (total), `sd_between` and `sd_within` (of
#'   differences; not for `"constant"`) besides; `n` patients, `rows` rows.
#' @references Bland JM, Altman DG. Agreement between methods of measurement with multiple
#'   observations per individual. J Biopharm Stat 2007;17:571-582. \doi{10.1080/10543400701329422}
#'
#'   Bland JM, Altman DG. Stat Methods Med Res 1999;8:135-160. \doi{10.1177/096228029900800204}
#'
#'   Zou GY. Confidence interval estimation for the Bland-Altman limits of agreement with multiple
#'   observations per individual. Stat Methods Med Res 2013;22:630-642.
#'   \doi{10.1177/0962280211402548}
#' @examples
#' set.seed(1)
#' patient <- rep(1:20, each = 4)
#' true <- rep(rnorm(20, 55, 8), each = 4) + rnorm(80, sd = 2)
#' ours <- true + rep(rnorm(20, 1, 3), each = 4) + rnorm(80, sd = 2)
#' bland_altman_repeated(ours, true, patient)
#' @export
bland_altman_repeated <- function(measured, reference, subject, true_value = "varies",
                                  level = 0.95, multiplier = stats::qnorm(0.975)) {
  check_level(level)
  check_positive(multiplier, "multiplier")
  check_choice(true_value, c("varies", "constant"), "true_value")
  check_numeric(measured, "measured")
  check_numeric(reference, "reference", length(measured))
  if (is.null(subject)) {
    abort_beatbybeat("bad_argument", "`subject` must name the patient of each row; without ",
                     "repeated patients use bland_altman().")
  }
  check_subject(subject, length(measured))
  parts <- if (true_value == "varies") {
    varying_parts(measured, reference, subject)
  } else {
    constant_parts(measured, reference, subject)
  }
  bias <- mean(parts$difference)
  total <- parts$between_means + sum(parts$weights * parts$within)
  limits <- repeated_limits(parts, bias, total, level, multiplier)
  n <- length(parts$difference)
  half <- stats::qt(0.5 + level / 2, n - 1) * sqrt(parts$between_means / n)
  estimates <- rbind(
    estimate_row("bias", bias, bias - half, bias + half), estimate_row("sd", sqrt(total)),
    limits, slope_row(parts$difference, parts$average, level),
    if (true_value == "varies") {
      rbind(estimate_row("sd_between", sqrt(max(0, total - parts$within))),
            estimate_row("sd_within", sqrt(parts$within)))
    }
  )
  new_agreement("bland_altman", estimates, n = n, rows = parts$rows, pairs = parts$pairs,
                left_out = parts$left_out, level = level, multiplier = multiplier,
                repeated = TRUE, true_value = true_value)
}

# Sums of squares within groups: list(mean of each group, counts, pooled variance, its df).
within_groups <- function(value, group) {
  values <- split(value, group)
  counts <- lengths(values)
  squares <- sum(vapply(values, function(v) sum((v - mean(v))^2), double(1)))
  df <- sum(counts) - length(counts)
  list(mean = vapply(values, mean, double(1)), counts = counts,
       variance = if (df > 0) squares / df else NA_real_, df = df)
}

harmonic_mean <- function(x) 1 / mean(1 / x)

refuse_unrepeated <- function() {
  abort_beatbybeat("bad_argument", "`subject` names no patient twice, so nothing is repeated: use ",
                   "bland_altman().")
}

varying_parts <- function(measured, reference, subject) {
  pairs <- complete_pairs(measured, reference, subject)
  group <- factor(pairs$subject, unique(pairs$subject))
  difference <- pairs$measured - pairs$reference
  average <- (pairs$measured + pairs$reference) / 2
  inside <- within_groups(difference, group)
  if (inside$df < 1) refuse_unrepeated()
  list(
    difference = unname(inside$mean), average = unname(within_groups(average, group)$mean),
    between_means = stats::var(inside$mean), within = inside$variance, df = inside$df,
    weights = 1 - 1 / harmonic_mean(inside$counts), rows = length(difference),
    left_out = pairs$left_out, pairs = data.frame(average, difference, subject = pairs$subject)
  )
}

constant_parts <- function(measured, reference, subject) {
  both <- intersect(subject[is.finite(measured)], subject[is.finite(reference)])
  if (length(both) < 3L) {
    abort_beatbybeat("bad_argument", "`measured` and `reference` have both values in ",
                     length(both), " patients; at least 3 are needed.")
  }
  side <- function(value) {
    kept <- is.finite(value) & subject %in% both
    within_groups(value[kept], factor(subject[kept], both))
  }
  x <- side(measured)
  y <- side(reference)
  if (x$df < 1 || y$df < 1) refuse_unrepeated()
  difference <- unname(x$mean - y$mean)
  average <- unname(x$mean + y$mean) / 2
  list(
    difference = difference, average = average, between_means = stats::var(difference),
    within = c(x$variance, y$variance), df = c(x$df, y$df),
    weights = 1 - 1 / c(harmonic_mean(x$counts), harmonic_mean(y$counts)),
    rows = sum(x$counts) + sum(y$counts), left_out = sum(!subject %in% both),
    pairs = data.frame(average, difference, subject = both)
  )
}

# Zou 2013: the interval of the total variance from those of its parts, and with that of the bias
# the interval of each limit.
repeated_limits <- function(parts, bias, total, level, multiplier) {
  n <- length(parts$difference)
  share <- function(p, df) 1 - df / stats::qchisq(p, df) # how far below its estimate, relatively
  variances <- c(parts$between_means, parts$weights * parts$within)
  df <- c(n - 1, parts$df)
  low <- total - sqrt(sum((variances * share(0.5 + level / 2, df))^2))
  high <- total + sqrt(sum((variances * share(0.5 - level / 2, df))^2))
  z <- stats::qnorm(0.5 + level / 2)
  reach <- function(bound) {
    sqrt(z^2 * parts$between_means / n + multiplier^2 * (sqrt(total) - sqrt(max(0, bound)))^2)
  }
  outer <- reach(high)
  inner <- reach(low)
  limits <- bias + c(-1, 1) * multiplier * sqrt(total)
  estimate_row(c("lower_limit", "upper_limit"), limits, limits - c(outer, inner),
               limits + c(inner, outer))
}
