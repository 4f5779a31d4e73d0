# Summarises numbers over beats: mean, spread and t interval.

#' Mean, standard deviation and t interval
#'
#' The mean with its two-sided 95 % interval \eqn{\bar x \pm t_{n-1, 0.975}\, s / \sqrt n}. It
#' says how well the beats at hand fix their own mean; it says nothing about errors that all beats
#' share, such as a foreshortened view.
#'
#' `method = "bootstrap"` takes the 2.5th to the 97.5th percentile of means of resampled values
#' instead. Over the few beats of a clip that is too narrow: over 3 to 8 values such intervals hold
#' the mean in 75 to 90 % and not in 95 %. It is meant for many values, and to compare with.
#'
#' @param x Numbers; missing ones are left out.
#' @param level Confidence level.
#' @param limits Values that cannot be passed: the interval is cut there.
#' @param method `"t"` or `"bootstrap"`.
#' @param resamples,seed Number of bootstrap samples, and their seed; the session's own random state
#'   stays as it was.
#' @return A named vector `mean`, `sd`, `low`, `high`, `n`; `sd` and the interval are `NA` below
#'   two values.
#' @examples
#' mean_interval(c(55, 58, 61))
#' mean_interval(c(55, 58, 61, 57, 54, 60), method = "bootstrap")
#' @export
mean_interval <- function(x, level = 0.95, limits = c(-Inf, Inf), method = "t", resamples = 2000,
                          seed = 1) {
  check_numeric(x, "x")
  check_level(level)
  check_numeric(limits, "limits", 2L)
  check_choice(method, c("t", "bootstrap"), "method")
  x <- x[!is.na(x)]
  n <- length(x)
  centre <- if (n > 0L) mean(x) else NA_real_
  spread <- if (n > 1L) stats::sd(x) else NA_real_
  ends <- if (n < 2L) {
    c(NA_real_, NA_real_)
  } else if (method == "t") {
    centre + c(-1, 1) * stats::qt(0.5 + level / 2, n - 1) * spread / sqrt(n)
  } else {
    check_resamples(resamples, seed)
    means <- with_seed(seed, colMeans(matrix(sample(x, n * resamples, replace = TRUE), n)))
    stats::quantile(means, 0.5 + c(-1, 1) * level / 2, names = FALSE)
  }
  c(mean = centre, sd = spread, low = max(ends[1], limits[1]), high = min(ends[2], limits[2]),
    n = n)
}
