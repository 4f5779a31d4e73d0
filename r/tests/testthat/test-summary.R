test_that("mean, SD and interval are over complete beats only", {
  beats <- beats_of(6, duration_s = 5)
  table <- as.data.frame(beats)
  s <- summary(beats)
  complete <- table$ef_percent[table$complete]
  expect_true(any(!table$complete))
  expect_identical(s$n_complete, length(complete))
  expect_equal(s$ef_percent, mean(complete))
  expect_equal(c(s$ef_low, s$ef_high), as.double(stats::t.test(complete)$conf.int))
  expect_equal(s$ef_se, stats::t.test(complete)$stderr)
})

test_that("fewer than three complete beats are warned of, five in an irregular rhythm", {
  two <- beats_of(1, duration_s = 2.6, phase = 0.8)
  expect_identical(sum(two$table$complete), 2L)
  expect_true("few_beats" %in% two$warnings$code)
  expect_false("few_beats" %in% beats_of(1, duration_s = 5)$warnings$code)
})

test_that("prints say what was found", {
  expect_snapshot(beats_of(1, duration_s = 4, calibrated = TRUE))
  expect_snapshot(beats_of(1, duration_s = 4, view = "unknown"))
  expect_snapshot(beats_of(1, duration_s = 4, view = "PSAX"))
  expect_snapshot(beats_of(5, duration_s = 29 / 30, frame_rate_hz = 30, phase = 0.12))
  expect_snapshot(detect_beats(data.frame(time_s = 1:9 / 30, area = 1, long_axis = 1)))
  expect_snapshot(summary(beats_of(6, duration_s = 4)), cran = FALSE)
})

test_that("row names are passed on", {
  table <- as.data.frame(beats_of(1), row.names = letters[seq_len(nrow(beats_of(1)$table))])
  expect_identical(row.names(table)[1], "a")
})
