# Resamples whole patients: the BCa interval of any statistic, with a seed that disturbs no other.

# Runs `code` with R's generator seeded, and leaves the session's own state as it was.
with_seed <- function(seed, code) {
  home <- globalenv()
  before <- get0(".Random.seed", home, inherits = FALSE)
  on.exit(
    if (is.null(before)) {
      suppressWarnings(rm(".Random.seed", envir = home))
    } else {
      assign(".Random.seed", before, envir = home)
    }
  )
  set.seed(seed, kind = "Mersenne-Twister", normal.kind = "Inversion", sample.kind = "Rejection")
  force(code)
}

check_resamples <- function(resamples, seed, name = "resamples") {
  if (!is.numeric(resamples) || length(resamples) != 1L || is.na(resamples) || resamples < 100) {
    abort_beatbybeat("bad_argument", "`", name, "` must be at least 100, not ",
                     describe_value(resamples), ".")
  }
  if (!is.numeric(seed) || length(seed) != 1L || !is.finite(seed)) {
    abort_beatbybeat("bad_argument", "`seed` must be one number, not ", describe_value(seed), ".")
  }
}

# BCa intervals (Efron 1987) of a vector of statistics. `statistic(at)` computes them from the
# patients with numbers `at`. Gives a matrix of two columns, low and high; NA where the statistic
# does not vary.
bca_intervals <- function(n, statistic, level, resamples, seed) {
  whole <- statistic(seq_len(n))
  drawn <- with_seed(seed, matrix(sample.int(n, n * resamples, replace = TRUE), n))
  spread <- vapply(seq_len(resamples), function(b) statistic(drawn[, b]), whole)
  left_out <- vapply(seq_len(n), function(i) statistic(seq_len(n)[-i]), whole)
  as_rows <- function(m) matrix(m, nrow = length(whole))
  spread <- as_rows(spread)
  left_out <- as_rows(left_out)
  limits <- vapply(seq_along(whole), function(k) {
    bca_interval(whole[k], spread[k, ], left_out[k, ], level)
  }, double(2))
  matrix(t(limits), ncol = 2L, dimnames = list(names(whole), c("low", "high")))
}

bca_interval <- function(whole, spread, left_out, level) {
  spread <- spread[is.finite(spread)]
  if (length(spread) < 100L || stats::sd(spread) == 0) {
    return(c(NA_real_, NA_real_))
  }
  z0 <- stats::qnorm(mean(spread < whole) + mean(spread == whole) / 2)
  pull <- mean(left_out) - left_out
  acceleration <- if (all(pull == 0)) 0 else sum(pull^3) / (6 * sum(pull^2)^1.5)
  z <- z0 + stats::qnorm(0.5 + c(-1, 1) * level / 2)
  stats::quantile(spread, stats::pnorm(z0 + z / (1 - acceleration * z)), names = FALSE, type = 6)
}
