# What scipy 1.17.1 gives for the published rule on these curves, frozen. The calls were
#   low, high = sorted(size)[round(n ** 0.05)], sorted(size)[round(n ** 0.95)]
# find_peaks(-size, distance=20, prominence=0.50 * (high - low)), counted from 1. # nolint
ripple <- function(n) {
  i <- seq_len(n) - 1
  40 + 8 * cos(2 * pi * i / 41.3) + 2 * sin(2 * pi * i / 9.7)
}

test_that("the rule finds what scipy finds", {
  expect_identical(echonet_end_systoles(ripple(200))$index, c(19L, 66L, 105L, 144L, 184L))
  expect_identical(echonet_end_systoles(ripple(61))$index, c(19L))
})

test_that("its fault is kept: a power of n where a share of n was meant", {
  i <- 0:199
  size <- 40 + 20 * pmax(0, cos(2 * pi * i / 66))^8 + 4 * sin(2 * pi * i / 29)
  # With the 5th and 95th percentile scipy finds 23, 110 and 168 only.
  expect_identical(echonet_end_systoles(size)$index, c(23L, 52L, 81L, 110L, 142L, 168L))
})

test_that("its other fault: fast hearts lose beats, since 20 frames are not a time", {
  fast <- simulate_clip(3, rate_bpm = 160, frame_rate_hz = 50, noise = 0.005)
  found <- nrow(echonet_end_systoles(fast$frames$area_px))
  expect_lt(found, 0.7 * nrow(fast$beats))
})

test_that("too few frames give no beats", {
  expect_identical(nrow(echonet_end_systoles(c(3, 1))), 0L)
})
