# Summarises numbers over beats: mean, spread and t interval.

#' Mean, standard deviation and t interval
#'
#' The mean with its two-sided 95 % interval \eqn{\bar x \pm t_{n-1, 0.975}\, s / \sqrt n}. It
#' says how well the beats at hand fix their own mean; it says nothing about errors that all beats
#' share, such as a foreshortened view.
#'
#' @param x Numbers; missing ones are left out.
#' @param level Confidence level.
#' @param limits Values that cannot be passed: the interval is cut there.
#' @return A named vector `mean`, `sd`, `low`, `high`, `n`; `sd` and the interval are `NA` below
#'   two values.
#' @examples
#' mean_interval(c(55, 58, 61))
#' @export
mean_interval <- function(x, level = 0.95, limits = c(-Inf, Inf)) {
  check_numeric(x, "x")
  check_numeric(level, "level", 1L)
  check_numeric(limits, "limits", 2L)
  x <- x[!is.na(x)]
  n <- length(x)
  centre <- if (n > 0L) mean(x) else NA_real_
  spread <- if (n > 1L) stats::sd(x) else NA_real_
  half <- if (n > 1L) stats::qt(0.5 + level / 2, n - 1) * spread / sqrt(n) else NA_real_
  c(
    mean = centre, sd = spread, low = max(centre - half, limits[1]),
    high = min(centre + half, limits[2]), n = n
  )
}
