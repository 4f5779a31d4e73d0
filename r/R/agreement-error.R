# Errors of one method against a reference: MAE, RMSE, bias, R2 and r2.

#' Errors against a reference
#'
#' Mean absolute error, root mean squared error, bias (mean of `measured - reference`), and two
#' numbers that are often confused: \eqn{R^2 = 1 - \sum (y - \hat y)^2 / \sum (y - \bar y)^2}
#' (`r_squared`, the measured value taken as it is; negative where the reference's mean would do
#' better) and the square of Pearson's correlation (`r_pearson_squared`, blind to every bias and
#' scale). A model may have a high r2 and a low R2, never the reverse.
#'
#' Intervals are BCa bootstrap intervals over patients.
#'
#' @inheritParams concordance_correlation
#' @param resamples Number of bootstrap samples.
#' @param seed Seed of the bootstrap; the session's own random state stays as it was.
#' @return An object of class `beatbybeat_errors`. `as.data.frame()` gives `statistic` (`mae`,
#'   `rmse`, `bias`, `r_squared`, `r_pearson_squared`), `estimate`, `low`, `high`.
#' @references Efron B. Better bootstrap confidence intervals. J Am Stat Assoc 1987;82:171-185.
#'   \doi{10.1080/01621459.1987.10478410}
#' @examples
#' reference <- c(35, 48, 55, 61, 66, 70)
#' measurement_errors(reference + 4, reference)
#' @export
measurement_errors <- function(measured, reference, subject = NULL, level = 0.95,
                               resamples = 2000, seed = 1) {
  check_level(level)
  check_resamples(resamples, seed)
  pairs <- patient_pairs(measured, reference, subject)
  x <- pairs$measured
  y <- pairs$reference
  limits <- bca_intervals(length(x), function(at) error_statistics(x[at], y[at]), level,
                          resamples, seed)
  estimate <- error_statistics(x, y)
  estimates <- data.frame(statistic = names(estimate), estimate = unname(estimate),
                          low = unname(limits[, 1]), high = unname(limits[, 2]))
  new_agreement("errors", estimates, n = length(x), rows = pairs$rows,
                left_out = pairs$left_out, level = level, resamples = resamples, seed = seed,
                pairs = data.frame(measured = x, reference = y))
}

error_statistics <- function(measured, reference) {
  error <- measured - reference
  total <- sum((reference - mean(reference))^2)
  own <- sum((measured - mean(measured))^2)
  both <- sum((measured - mean(measured)) * (reference - mean(reference)))
  c(
    mae = mean(abs(error)), rmse = sqrt(mean(error^2)), bias = mean(error),
    r_squared = if (total > 0) 1 - sum(error^2) / total else NA_real_,
    r_pearson_squared = if (total > 0 && own > 0) both^2 / (total * own) else NA_real_
  )
}
