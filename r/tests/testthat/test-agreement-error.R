test_that("errors of four known pairs", {
  found <- as.data.frame(measurement_errors(c(1, 4, 3, 8), c(2, 2, 3, 5), resamples = 100))
  expect_identical(found$statistic, c("mae", "rmse", "bias", "r_squared", "r_pearson_squared"))
  # Errors -1, 2, 0, 3; reference mean 3 and sum of squares 6.
  expect_equal(found$estimate[1:4], c(1.5, sqrt(3.5), 1, 1 - 14 / 6))
  expect_equal(found$estimate[5], stats::cor(c(1, 4, 3, 8), c(2, 2, 3, 5))^2)
})

test_that("R2 sees a bias that r2 does not", {
  y <- c(35, 48, 55, 61, 66, 70)
  table <- as.data.frame(measurement_errors(y + 20, y, resamples = 200))
  expect_equal(table$estimate[5], 1)
  expect_lt(table$estimate[4], 0)
})

test_that("BCa intervals are boot's", {
  skip_if_not_installed("boot")
  set.seed(5)
  y <- stats::rnorm(40, 55, 10)
  x <- y + stats::rnorm(40, 1, 5)
  ours <- as.data.frame(measurement_errors(x, y, resamples = 4000, seed = 9))
  statistic <- function(d, at) error_statistics(d$x[at], d$y[at])
  set.seed(9)
  drawn <- boot::boot(data.frame(x, y), statistic, R = 4000)
  for (k in 1:5) {
    theirs <- boot::boot.ci(drawn, type = "bca", index = k)$bca[4:5]
    width <- diff(theirs)
    expect_lt(max(abs(c(ours$low[k], ours$high[k]) - theirs)), 0.06 * width)
  }
})

test_that("a seed repeats itself and leaves the session's random numbers alone", {
  y <- c(35, 48, 55, 61, 66, 70)
  x <- y + c(1, -2, 3, 0, 2, -1)
  set.seed(1)
  expected <- stats::runif(2)
  set.seed(1)
  first <- stats::runif(1)
  a <- measurement_errors(x, y, resamples = 200, seed = 3)
  expect_identical(c(first, stats::runif(1)), expected)
  expect_identical(as.data.frame(a), as.data.frame(measurement_errors(x, y, resamples = 200,
                                                                      seed = 3)))
})

test_that("patients are resampled: beats of one patient do not narrow the interval", {
  set.seed(6)
  shift <- stats::rnorm(12, sd = 4)
  y <- stats::rnorm(12, 55, 10)
  once <- as.data.frame(measurement_errors(y + shift, y, resamples = 300))
  beats <- measurement_errors(rep(y + shift, each = 10), rep(y, each = 10),
                              subject = rep(1:12, each = 10), resamples = 300)
  expect_equal(as.data.frame(beats), once)
  expect_identical(c(beats$n, beats$rows), c(12L, 120L))
  expect_snapshot(print(beats, digits = 1))
})

test_that("concordance is 1 on the line of identity, and falls by the square of the shift", {
  y <- c(1, 2, 3, 4, 5)
  expect_equal(as.data.frame(concordance_correlation(y, y))$estimate, c(1, 1, 1))
  # 2 s^2 / (2 s^2 + 1^2) with s^2 = 2
  expect_equal(as.data.frame(concordance_correlation(y + 1, y))$estimate, c(0.8, 1, 0.8))
  expect_equal(as.data.frame(concordance_correlation(-y, y))$estimate[2], -1)
})

test_that("about 95 % of its intervals hold the true concordance", {
  # x = z + e, y = z + f + 1 with unit variances of z 4 and e, f 1: 2 * 4 / (5 + 5 + 1)
  set.seed(7)
  held <- replicate(400, {
    z <- stats::rnorm(60, sd = 2)
    found <- as.data.frame(concordance_correlation(z + stats::rnorm(60), z + stats::rnorm(60) + 1))
    found$low[1] <= 8 / 11 && 8 / 11 <= found$high[1]
  })
  expect_gt(mean(held), 0.92)
  expect_lt(mean(held), 0.98)
})

test_that("what cannot be correlated is refused", {
  expect_snapshot(error = TRUE, concordance_correlation(1:3, 1:3))
  expect_snapshot(error = TRUE, concordance_correlation(rep(1, 5), 1:5))
  expect_snapshot(error = TRUE, measurement_errors(1:5, 5:1, resamples = 3))
  expect_snapshot(error = TRUE, measurement_errors(1:5, 5:1, seed = NA))
  expect_snapshot(concordance_correlation(c(1, 2, 3, 4, 6), c(1, 2, 3, 4, 5)))
})
