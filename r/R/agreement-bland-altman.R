# Limits of agreement by Bland and Altman, one pair of measurements a patient.

#' Bland-Altman limits of agreement
#'
#' The mean \eqn{\bar d} of the differences `measured - reference` (bias), the limits
#' \eqn{\bar d \pm z s_d} between which about 95 % of differences lie, and the slope of the
#' difference on the mean of the two (proportional bias).
#'
#' Intervals: of the bias \eqn{\bar d \pm t_{n-1} s_d / \sqrt n}; of each limit \eqn{\pm t_{n-1}
#' s_d \sqrt{1/n + z^2 / (2 (n-1))}} (Bland and Altman 1999); of the slope that of least squares.
#' The slope tells of a bias that grows with the size; it also differs from zero where the two
#' methods merely differ in their spread.
#'
#' One pair a patient: repeated patients are an error, since pooled beats make the limits too
#' narrow and their intervals far too narrow. Take [bland_altman_repeated()] for them.
#'
#' @param measured,reference Numbers, one each a patient; pairs with a missing one are left out.
#' @param subject Patient of each pair, or `NULL` where every pair is another patient.
#' @param level Confidence level of the intervals.
#' @param multiplier \eqn{z}: 1.96 by default. Bland and Altman 1986 took 2.
#' @return An object of class `beatbybeat_bland_altman`. `as.data.frame()` gives `statistic`
#'   (`bias`, `sd`, `lower_limit`, `upper_limit`, `slope`), `estimate`, `low`, `high`; `plot()`
#'   draws differences against means.
#' @references Bland JM, Altman DG. Lancet 1986;327:307-310. \doi{10.1016/S0140-6736(86)90837-8}
#'
#'   Bland JM, Altman DG. Measuring agreement in method comparison studies. Stat Methods Med Res
#'   1999;8:135-160. \doi{10.1177/096228029900800204}
#' @examples
#' # Peak flow (L/min) by two meters, 17 subjects: Bland and Altman 1986, who took 2 SD
#' wright <- c(494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427)
#' mini <- c(512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451)
#' agreement <- bland_altman(wright, mini, multiplier = 2)
#' agreement
#' plot(agreement)
#' @export
bland_altman <- function(measured, reference, subject = NULL, level = 0.95,
                         multiplier = stats::qnorm(0.975)) {
  check_level(level)
  check_positive(multiplier, "multiplier")
  pairs <- complete_pairs(measured, reference, subject)
  if (anyDuplicated(pairs$subject) > 0L) {
    abort_beatbybeat("bad_argument", "`subject` names a patient twice (",
                     format(pairs$subject[anyDuplicated(pairs$subject)]), "): use ",
                     "bland_altman_repeated() for several pairs a patient.")
  }
  difference <- pairs$measured - pairs$reference
  average <- (pairs$measured + pairs$reference) / 2
  n <- length(difference)
  bias <- mean(difference)
  s <- stats::sd(difference)
  t <- stats::qt(0.5 + level / 2, n - 1)
  half_bias <- t * s / sqrt(n)
  half_limit <- t * s * sqrt(1 / n + multiplier^2 / (2 * (n - 1)))
  chi <- stats::qchisq(0.5 + c(1, -1) * level / 2, n - 1)
  limits <- bias + c(-1, 1) * multiplier * s
  estimates <- rbind(
    estimate_row("bias", bias, bias - half_bias, bias + half_bias),
    estimate_row("sd", s, s * sqrt((n - 1) / chi[1]), s * sqrt((n - 1) / chi[2])),
    estimate_row(c("lower_limit", "upper_limit"), limits, limits - half_limit,
                 limits + half_limit),
    slope_row(difference, average, level)
  )
  new_agreement("bland_altman", estimates, n = n, pairs = data.frame(average, difference),
                left_out = pairs$left_out, level = level, multiplier = multiplier,
                repeated = FALSE)
}

# The slope of the difference on the mean, with its interval; NA where all means are equal.
slope_row <- function(difference, average, level) {
  n <- length(difference)
  if (n < 3L || stats::var(average) == 0) {
    return(estimate_row("slope", NA_real_))
  }
  slope <- stats::cov(average, difference) / stats::var(average)
  residual <- difference - mean(difference) - slope * (average - mean(average))
  se <- sqrt(sum(residual^2) / (n - 2) / sum((average - mean(average))^2))
  half <- stats::qt(0.5 + level / 2, n - 2) * se
  estimate_row("slope", slope, slope - half, slope + half)
}
