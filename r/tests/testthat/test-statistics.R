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
