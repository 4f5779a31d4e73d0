# Lin's concordance correlation coefficient.

#' Concordance correlation
#'
#' \eqn{\rho_c = 2 s_{xy} / (s_x^2 + s_y^2 + (\bar x - \bar y)^2)}, variances divided by \eqn{n}:
#' Pearson's correlation (precision) times a factor \eqn{C_b} (accuracy) that falls below 1 where
#' the points leave the line of identity. The interval is by Fisher's z (Lin 1989, 2000).
#'
#' @inheritParams bland_altman
#' @param subject Patient of each pair, or `NULL` where every pair is another patient. A patient's
#'   pairs are averaged first, so that patients are counted and not beats.
#' @return An object of class `beatbybeat_ccc`. `as.data.frame()` gives `statistic` (`ccc`,
#'   `pearson`, `accuracy`), `estimate`, `low`, `high`.
#' @references Lin LI. A concordance correlation coefficient to evaluate reproducibility.
#'   Biometrics 1989;45:255-268. \doi{10.2307/2532051}; a note on it 2000;56:324-325.
#' @examples
#' reference <- c(35, 48, 55, 61, 66, 70)
#' concordance_correlation(reference + c(2, 5, 1, 4, 3, 6), reference)
#' @export
concordance_correlation <- function(measured, reference, subject = NULL, level = 0.95) {
  check_level(level)
  pairs <- patient_pairs(measured, reference, subject, least = 4L)
  x <- pairs$measured
  y <- pairs$reference
  n <- length(x)
  share <- (n - 1) / n
  sx <- sqrt(share * stats::var(x))
  sy <- sqrt(share * stats::var(y))
  if (sx == 0 || sy == 0) {
    abort_beatbybeat("bad_argument", "`", if (sx == 0) "measured" else "reference",
                     "` has one value only: no correlation exists.")
  }
  r <- stats::cor(x, y)
  ccc <- 2 * r * sx * sy / (sx^2 + sy^2 + (mean(x) - mean(y))^2)
  limits <- ccc_limits(ccc, r, (mean(x) - mean(y))^2 / (sx * sy), n, level)
  pearson <- tanh(atanh(r) + c(-1, 1) * stats::qnorm(0.5 + level / 2) / sqrt(n - 3))
  estimates <- rbind(
    estimate_row("ccc", ccc, limits[1], limits[2]),
    estimate_row("pearson", r, pearson[1], pearson[2]),
    estimate_row("accuracy", ccc / r)
  )
  new_agreement("ccc", estimates, n = n, rows = pairs$rows, left_out = pairs$left_out,
                level = level, pairs = data.frame(measured = x, reference = y))
}

# `shift2` is the squared difference of the means over the product of the SDs.
ccc_limits <- function(ccc, r, shift2, n, level) {
  if (abs(ccc) >= 1 - 1e-12 || r == 0) {
    return(c(NA_real_, NA_real_))
  }
  variance <- ((1 - r^2) * ccc^2 * (1 - ccc^2) / r^2 + 2 * ccc^3 * (1 - ccc) * shift2 / r -
                 ccc^4 * shift2^2 / (2 * r^2)) / (n - 2)
  se_z <- sqrt(max(0, variance)) / (1 - ccc^2)
  tanh(atanh(ccc) + c(-1, 1) * stats::qnorm(0.5 + level / 2) * se_z)
}
