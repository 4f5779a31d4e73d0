test_that("regular, irregular and regular but for premature beats are told apart", {
  expect_identical(rhythm_of(c(0.85, 0.86, 0.84, 0.85)), "regular")
  expect_identical(rhythm_of(c(0.62, 0.95, 0.71, 1.10, 0.55, 0.88)), "irregular")
  one_ectopic <- c(0.86, 0.85, 0.86, 0.55, 1.16, 0.85, 0.86)
  expect_identical(rhythm_of(one_ectopic), "regular with premature beats")
  # an early beat without a pause after it
  expect_identical(rhythm_of(c(0.86, 0.85, 0.86, 0.60, 0.75, 0.85, 0.86)), "irregular")
  expect_identical(rhythm_of(c(0.8, 0.8)), NA_character_)
})

test_that("atrial fibrillation is hardly ever taken for sinus rhythm with premature beats", {
  set.seed(1)
  told <- replicate(300, rhythm_of(pmax(0.36, stats::rnorm(8, 0.67, 0.2 * 0.67))))
  expect_lt(mean(told == "regular with premature beats"), 0.06)
  expect_gt(mean(told == "irregular"), 0.85)
})

test_that("a cycle below 0.80 of the usual one makes a beat premature, and the next is marked", {
  es_s <- cumsum(c(0.3, 0.8, 0.8, 0.8, 0.5, 1.1, 0.8))
  found <- beat_rhythm(es_s, rep(1L, 7))
  expect_identical(which(found$premature), 5L)
  expect_identical(which(found$after_premature), 6L)
  expect_equal(found$cycle_before_s, c(NA, 0.8, 0.8, 0.8, 0.5, 1.1, 0.8))
  # 0.64 is 0.80 of 0.8 and not below it
  expect_false(any(is_premature(c(0.8, 0.8, 0.8, 0.65, 0.9))))
  expect_true(is_premature(c(0.8, 0.8, 0.8, 0.63, 0.9))[4])
})

test_that("a premature beat may be the clip's second", {
  expect_identical(which(is_premature(c(0.5, 1.1, 0.8, 0.8, 0.8))), 1L)
})

test_that("cycles do not reach over a gap", {
  found <- beat_rhythm(c(0.3, 1.1, 5, 5.8), c(1L, 1L, 2L, 2L))
  expect_equal(found$cycle_before_s, c(NA, 0.8, NA, 0.8))
})

test_that("index beats follow two cycles that differ by at most 60 ms", {
  cycles <- c(NA, 0.70, 0.75, 0.90, 0.84, 0.50)
  expect_identical(which(is_index_beat(cycles, rep(1L, 6))), c(3L, 5L))
  expect_false(any(is_index_beat(c(NA, 0.7, NA, 0.7), c(1L, 1L, 2L, 2L))))
})

test_that("an ectopic beat and the one after are left out of the mean, and both means are given", {
  beats <- beats_of(2, rhythm = "ectopic", duration_s = 9, noise = 0.005)
  table <- as.data.frame(beats)
  s <- summary(beats)
  expect_identical(s$rhythm, "regular with premature beats")
  expect_identical(sum(table$premature), 1L)
  expect_identical(table$included, table$complete & !table$premature & !table$after_premature)
  expect_equal(s$ef_percent, mean(table$ef_percent[table$included]))
  expect_equal(s$ef_all_beats_percent, mean(table$ef_percent[table$complete]))
  expect_lt(table$ef_percent[table$premature], s$ef_percent)
})
