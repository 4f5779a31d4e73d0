test_that("a local cubic keeps every cubic, at even and at uneven times", {
  even <- seq(0, 1, by = 0.02)
  set.seed(1)
  uneven <- sort(even + stats::runif(length(even), 0, 0.015))
  for (time_s in list(even, uneven)) {
    cubic <- 3 - 2 * time_s + time_s^2 - 4 * time_s^3
    expect_equal(smooth_cubic(time_s, cubic, 0.14), cubic)
  }
})

test_that("even and uneven times take the same fit", {
  set.seed(2)
  time_s <- (0:40) / 50
  value <- stats::rnorm(41)
  fits <- vapply(seq_along(value), function(i) {
    near <- nearest_window(i, 7L, 41L)
    t <- time_s[near] - time_s[i]
    unname(stats::coef(stats::lm(value[near] ~ t + I(t^2) + I(t^3)))[1])
  }, double(1))
  expect_equal(smooth_cubic(time_s, value, 0.14), fits)
})

test_that("smoothing over 0.14 s means the same at 50 and at 100 frames per second", {
  wave <- function(rate) {
    time_s <- seq(0, 2, by = 1 / rate)
    value <- sin(2 * pi * 6 * time_s)
    inner <- time_s > 0.3 & time_s < 1.7
    max(smooth_cubic(time_s, value, 0.14)[inner])
  }
  expect_equal(wave(50), wave(100), tolerance = 0.08)
})

test_that("the Hampel filter takes out one wild frame and leaves a fast systole alone", {
  time_s <- seq(0, 2, by = 0.02)
  smooth <- 30 + 8 * cos(2 * pi * 160 / 60 * time_s)
  wild <- smooth
  wild[51] <- 90
  expect_lt(abs(hampel(time_s, wild)[51] - smooth[51]), 3)
  expect_lt(max(abs(hampel(time_s, smooth) - smooth)), 1)
})

test_that("the Hampel filter leaves the ends alone where it is told so", {
  time_s <- seq(0, 1, by = 0.02)
  falling <- 30 - 40 * pmin(time_s, 0.3)
  falling[1] <- 34
  expect_identical(hampel(time_s, falling, ends = FALSE)[1], 34)
  expect_lt(hampel(time_s, falling)[1], 31)
})

test_that("a local parabola keeps every parabola: between frames, at the ends and beside a gap", {
  set.seed(3)
  even <- seq(0, 1, by = 0.02)
  uneven <- sort(even + stats::runif(length(even), 0, 0.015))
  for (time_s in list(even, uneven, even[even < 0.4 | even > 0.5])) {
    parabola <- function(t) 3 - 2 * t + 7 * t^2
    at_s <- c(min(time_s), 0.011, 0.39, 0.45, 0.777, max(time_s))
    for (half_s in c(0, 0.05, 0.2)) {
      expect_equal(local_parabola(time_s, parabola(time_s), at_s, half_s), parabola(at_s))
    }
  }
})

test_that("a local parabola of few frames is what is there, and of missing ones what is left", {
  expect_equal(local_parabola(0.1, 5, 0.1, 0.03), 5)
  expect_equal(local_parabola(c(0, 0.1), c(4, 4), 0.05, 0.03), 4)
  time_s <- seq(0, 1, by = 0.05)
  value <- ifelse(time_s == 0.5, NA, time_s^2)
  expect_equal(local_parabola(time_s, value, 0.5, 0.15), 0.25)
  expect_identical(local_parabola(time_s, value, double(), 0.15), double())
})

test_that("a gap of 0.10 s is bridged, a longer one splits, whatever the frame rate", {
  for (rate in c(10, 30, 50, 100)) {
    time_s <- seq(0, 3, by = 1 / rate)
    usable <- function(gap_s) !(time_s > 1 + 1e-9 & time_s < 1 + gap_s + 1 / rate - 1e-9)
    expect_length(stretches_of(time_s, usable(0.1)), 1)
    expect_length(stretches_of(time_s, usable(0.25)), 2)
  }
})

test_that("no usable frame gives no stretch", {
  expect_identical(stretches_of(1:5 / 30, rep(FALSE, 5)), list())
})

test_that("an extreme is refined between frames", {
  time_s <- seq(0, 1, by = 0.05)
  value <- -(time_s - 0.512)^2
  expect_equal(refine_extreme(time_s, value, which.max(value)), 0.512)
})
