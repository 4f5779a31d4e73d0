# Peak flow (L/min), Wright meter against mini meter, first readings: Bland and Altman 1986.
wright <- c(494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427)
mini <- c(512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451)

estimate_of <- function(x, statistic, column = "estimate") {
  table <- as.data.frame(x)
  table[[column]][match(statistic, table$statistic)]
}

test_that("the peak-flow data of Bland and Altman 1986 give their printed numbers", {
  found <- bland_altman(wright, mini, multiplier = 2)
  expect_identical(round(estimate_of(found, "bias"), 1), -2.1)
  expect_identical(round(estimate_of(found, "sd"), 1), 38.8)
  # They computed -79.7 and 75.5 from the rounded -2.1 and 38.8.
  limits <- estimate_of(found, c("lower_limit", "upper_limit"))
  expect_lt(max(abs(limits - c(-79.7, 75.5))), 0.1)
  expect_equal(round(limits, 1), c(-79.6, 75.4))
  # The interval of the bias, -22.0 to 17.8, and their standard error 16.3 of the limits, which was
  # the rougher sqrt(3 s^2 / n).
  expect_identical(round(estimate_of(found, "bias", "low"), 1), -22)
  expect_identical(round(estimate_of(found, "bias", "high"), 1), 17.8)
  wide <- bland_altman(wright, mini)
  half <- estimate_of(wide, "upper_limit", "high") - estimate_of(wide, "upper_limit")
  expect_equal(half / stats::qt(0.975, 16), 16.3, tolerance = 0.02)
  expect_equal(round(estimate_of(wide, c("lower_limit", "upper_limit")), 1), c(-78.1, 73.9))
})

test_that("the interval of the bias is that of the t test, and the slope's that of lm()", {
  found <- bland_altman(wright, mini)
  t <- stats::t.test(wright - mini)$conf.int
  expect_equal(unlist(as.data.frame(found)[1, c("low", "high")]), as.double(t),
               ignore_attr = TRUE)
  d <- wright - mini
  m <- (wright + mini) / 2
  fit <- stats::lm(d ~ m)
  slope <- as.data.frame(found)[5, ]
  expect_equal(slope$estimate, stats::coef(fit)[["m"]])
  expect_equal(c(slope$low, slope$high), as.double(stats::confint(fit)["m", ]))
})

test_that("a method that reads 10 % more has a slope, a method that reads 5 more has none", {
  y <- c(40, 45, 50, 55, 60, 65, 70)
  expect_equal(estimate_of(bland_altman(1.1 * y, y), "slope"), 0.1 / 1.05)
  five <- bland_altman(y + 5, y)
  expect_equal(estimate_of(five, c("bias", "sd", "slope")), c(5, 0, 0))
})

test_that("about 95 % of limits' intervals hold the true limit", {
  set.seed(3)
  held <- replicate(400, {
    x <- stats::rnorm(30)
    limit <- as.data.frame(bland_altman(x, rep(0, 30) + stats::rnorm(30, sd = 1e-9)))[4, ]
    limit$low <= 1.96 && limit$high >= 1.96
  })
  expect_gt(mean(held), 0.92)
  expect_lt(mean(held), 0.98)
})

test_that("a patient who comes twice is refused, with the cure", {
  expect_error(bland_altman(1:4, 2:5, subject = c("a", "b", "a", "c")),
               "names a patient twice \\(a\\).*bland_altman_repeated",
               class = "beatbybeat_bad_argument")
})

test_that("pairs with a missing value are left out and counted; too few are refused", {
  found <- bland_altman(c(wright, NA), c(mini, 1))
  expect_identical(c(found$n, found$left_out), c(17L, 1L))
  expect_identical(as.data.frame(found), as.data.frame(bland_altman(wright, mini)))
  expect_error(bland_altman(c(1, NA, 2), 1:3), "in 2 patients; at least 3",
               class = "beatbybeat_bad_argument")
})

test_that("wrong arguments are refused by name", {
  expect_snapshot(error = TRUE, bland_altman("a", 1))
  expect_snapshot(error = TRUE, bland_altman(1:3, 1:4))
  expect_snapshot(error = TRUE, bland_altman(1:3, 3:1, level = 95))
  expect_snapshot(error = TRUE, bland_altman(1:3, 3:1, multiplier = -2))
  expect_snapshot(error = TRUE, bland_altman(1:3, 3:1, subject = 1:2))
  expect_snapshot(error = TRUE, bland_altman_repeated(1:4, 4:1, NULL))
  expect_snapshot(error = TRUE, bland_altman_repeated(1:4, 4:1, 1:4))
  expect_snapshot(error = TRUE, bland_altman_repeated(1:4, 4:1, c(1, 1, 2, 2), "changes"))
})

test_that("prints say what was found", {
  expect_snapshot(bland_altman(wright, mini, multiplier = 2))
  patient <- c(1, 1, 2, 2, 3, 3, 4, 4)
  expect_snapshot(bland_altman_repeated(c(50, 52, 60, 61, 40, 44, 55, 57),
                                        c(49, 50, 62, 60, 41, 41, 50, 52), patient))
})
