# An ellipsoid with two different short axes: biplane disks hold its volume, one plane cannot.
view_beats <- function(view, width, length = 9, rate_bpm = 75, beats = 5, calibrated = TRUE) {
  cycle_s <- 60 / rate_bpm
  time_s <- seq(0, (beats + 0.6) * cycle_s, by = 0.02)
  size <- 1 + 0.15 * cos(2 * pi * (time_s - 0.3 * cycle_s) / cycle_s) # of every length
  height <- (seq_len(20) - 0.5) / 20
  profile <- 2 * sqrt(height * (1 - height))
  frames <- data.frame(time_s, area = pi / 4 * width * length * size^2, long_axis = length * size)
  frames$diameters <- outer(width * size, profile)
  detect_beats(frames, view = view, calibrated = calibrated, volume_method = "disks")
}

test_that("biplane disks hold pi / 6 of the three axes, where each plane alone does not", {
  study <- echo_study(a4c = view_beats("A4C", 4), a2c = view_beats("A2C", 6))
  expected <- pi / 6 * 4 * 6 * 9
  expect_lt(abs(study$edv_ml / (expected * 1.15^3) - 1), 0.01)
  expect_lt(abs(study$esv_ml / (expected * 0.85^3) - 1), 0.01)
  expect_lt(abs(study$ef[["mean"]] - 100 * (1 - (0.85 / 1.15)^3)), 0.5)
  expect_identical(nrow(as.data.frame(study)), min(sum(study$a4c$table$included),
                                                   sum(study$a2c$table$included)))
  alone <- mean(study$a4c$table$edv_ml[study$a4c$table$included])
  expect_lt(alone / study$edv_ml, 0.7)
  expect_false("foreshortened" %in% study$warnings$code)
})

test_that("long axes more than 10 % apart are foreshortening, and the longer one counts", {
  study <- echo_study(a4c = view_beats("A4C", 5), a2c = view_beats("A2C", 5, length = 8))
  expect_true(all(study$table$foreshortened))
  expect_match(study$warnings$message[1], "the A2C view is foreshortened")
  expect_snapshot(study)
  expect_lt(abs(study$edv_ml / (pi / 6 * 25 * 9 * 1.15^3) - 1), 0.01)
  near <- echo_study(a4c = view_beats("A4C", 5), a2c = view_beats("A2C", 5, length = 8.2))
  expect_false(any(near$table$foreshortened))
})

test_that("an uncalibrated view gives no biplane number, with the reason", {
  study <- echo_study(a4c = view_beats("A4C", 5), a2c = view_beats("A2C", 5, calibrated = FALSE))
  expect_identical(study$reason, "uncalibrated")
  expect_true(is.na(study$ef[["mean"]]) && is.na(study$edv_ml))
  expect_output(print(study), "not given \\(uncalibrated\\)")
})

test_that("a view without a complete beat gives no pair, calibrated or not", {
  for (calibrated in c(TRUE, FALSE)) {
    study <- echo_study(a4c = view_beats("A4C", 5, calibrated = calibrated),
                        a2c = view_beats("A2C", 5, beats = 0.3, calibrated = calibrated))
    expect_identical(nrow(study$table), 0L)
    expect_identical(study$reason, "no_complete_pair")
    expect_output(print(study), "not given \\(no_complete_pair\\)")
  }
})

test_that("what does not belong together is refused", {
  four <- view_beats("A4C", 5)
  two <- view_beats("A2C", 5)
  refused <- function(code, said) {
    expect_error(code, said, class = "beatbybeat_study_mismatch")
  }
  refused(echo_study(two, four), "`a4c` is of the view A2C, not A4C")
  refused(echo_study(four, view_beats("A2C", 5, rate_bpm = 100)), "heart rate of 100 bpm")
  four$segmentation$attributes$subject_key <- "p1"
  two$segmentation$attributes$subject_key <- "p2"
  refused(echo_study(four, two), "another `subject_key`")
  expect_error(echo_study(beats_of(1), two), "no disks", class = "beatbybeat_bad_argument")
  expect_error(echo_study(3, two), "`a4c` must be", class = "beatbybeat_bad_argument")
})
