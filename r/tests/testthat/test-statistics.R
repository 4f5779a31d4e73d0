test_that("the interval is that of t.test()", {
  x <- c(55.1, 58.4, 61.2, 57.7)
  expected <- stats::t.test(x)
  found <- mean_interval(x)
  expect_equal(unname(found[c("mean", "low", "high")]),
               unname(c(expected$estimate, expected$conf.int)), ignore_attr = TRUE)
  expect_equal(found[["sd"]], stats::sd(x))
})

test_that("one value has a mean and no spread; none has nothing", {
  expect_identical(mean_interval(c(57, NA)), c(mean = 57, sd = NA, low = NA, high = NA, n = 1))
  expect_identical(mean_interval(NA_real_)[["mean"]], NA_real_)
})

test_that("the interval is cut at its limits", {
  found <- mean_interval(c(20, 90), limits = c(0, 100))
  expect_identical(unname(found[c("low", "high")]), c(0, 100))
})

test_that("the bootstrap is seeded, leaves the session's chance alone, and is wide enough", {
  x <- c(55.1, 58.4, 61.2, 57.7, 52.9, 60.3, 56.6, 59.5, 54.2, 58.8)
  set.seed(4)
  before <- stats::runif(1)
  set.seed(4)
  found <- mean_interval(x, method = "bootstrap", seed = 9)
  expect_identical(stats::runif(1), before)
  expect_identical(mean_interval(x, method = "bootstrap", seed = 9), found)
  # The bootstrap's standard error is sqrt((n - 1) / n) of the usual one.
  half <- stats::qnorm(0.975) * stats::sd(x) * sqrt(0.9) / sqrt(10)
  expect_equal(unname(found[c("low", "high")]), mean(x) + c(-half, half), tolerance = 0.005)
})

test_that("what is no number, level or method is refused", {
  expect_snapshot(error = TRUE, mean_interval("57"))
  expect_snapshot(error = TRUE, mean_interval(57, level = 95))
  expect_snapshot(error = TRUE, mean_interval(57, method = "jackknife"))
})
