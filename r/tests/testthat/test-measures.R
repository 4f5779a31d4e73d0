# A ventricle whose volume is known at every time: 100 + 30 cos(2 pi t / 0.8) mL, ellipsoid.
known_beats <- function(calibrated = TRUE, view = "A4C") {
  time_s <- seq(0, 4.5, by = 0.01)
  volume <- 100 + 30 * cos(2 * pi * (time_s - 0.2) / 0.8)
  long_axis <- 8 + cos(2 * pi * (time_s - 0.2) / 0.8)
  frames <- data.frame(time_s, area = sqrt(3 * pi * long_axis * volume / 8), long_axis)
  detect_beats(frames, view = view, calibrated = calibrated)
}

value_of <- function(table, measure) table$mean[match(measure, table$measure)]

test_that("volumes, rates and lengths are those of the drawn ventricle", {
  beats <- known_beats()
  study <- study_measures(beats, bsa_m2 = 2)
  near <- function(measure, expected, by) {
    expect_lt(abs(value_of(study, measure) - expected), by)
  }
  near("edv_ml", 130, 0.5)
  near("esv_ml", 70, 0.5)
  near("sv_ml", 60, 1)
  near("heart_rate_bpm", 75, 0.2)
  near("cardiac_output_l_min", 4.5, 0.06)
  near("cardiac_index_l_min_m2", 2.25, 0.03)
  near("edv_index_ml_m2", 65, 0.3)
  near("ef_percent", 100 * 60 / 130, 0.5)
  # The steepest change of 30 cos(2 pi t / 0.8) is 30 * 2 pi / 0.8 mL/s.
  near("peak_ejection_rate_per_s", 30 * 2 * pi / 0.8 / 130, 0.05)
  near("peak_filling_rate_per_s", 30 * 2 * pi / 0.8 / 130, 0.05)
  near("time_to_peak_filling_s", 0.2, 0.02)
  near("time_to_es_s", 0.4, 0.01)
  near("filling_s", 0.4, 0.01)
  near("long_axis_shortening_percent", 100 * 2 / 9, 0.5)
  # D = 4 A / (pi L) with A from V = 8 A^2 / (3 pi L): V = pi / 6 D^2 L
  near("sphericity_ed", sqrt(6 * 130 / (pi * 9)) / 9, 0.01)
})

test_that("what is not known is NA with its reason", {
  reason <- function(table, measure) table$reason[match(measure, table$measure)]
  free <- study_measures(known_beats(calibrated = FALSE), bsa_m2 = 2)
  expect_identical(reason(free, c("edv_ml", "cardiac_output_l_min", "edv_index_ml_m2")),
                   rep("uncalibrated", 3))
  expect_true(all(is.na(value_of(free, c("edv_ml", "sv_ml", "cardiac_output_l_min")))))
  expect_identical(reason(free, "ef_percent"), NA_character_)
  bare <- study_measures(known_beats())
  expect_identical(reason(bare, "edv_index_ml_m2"), "bsa_not_given")
  short_axis <- study_measures(known_beats(view = "PSAX"), bsa_m2 = 2)
  expect_identical(reason(short_axis, c("ef_percent", "edv_ml")), rep("area_only_view", 2))
  expect_false(is.na(value_of(short_axis, "fac_percent")))
  none <- study_measures(detect_beats(data.frame(time_s = 1:9 / 30, area = 1, long_axis = 1)))
  expect_identical(unique(none$reason), "no_beat")
})

test_that("body surface area by the published formulas", {
  expect_equal(body_surface_area(180, 80), 2)
  expect_equal(body_surface_area(170, 70, "dubois"), 1.81, tolerance = 0.002)
  expect_snapshot(error = TRUE, body_surface_area(1.8, 80))
  expect_snapshot(error = TRUE, beat_measures(known_beats(), bsa_m2 = -1.9))
  expect_snapshot(error = TRUE, patient(sex = "other"))
  expect_snapshot(error = TRUE, patient(height_cm = 170))
  expect_identical(patient(height_cm = 180, weight_kg = 80)$bsa_source, "Mosteller")
  expect_null(patient()$bsa_m2)
})

test_that("beats needed and spread within patients, by hand", {
  expect_identical(beats_needed(4, 3), 7L) # (1.96 * 4 / 3)^2 = 6.83
  expect_identical(beats_needed(1, 100), 1L)
  # variances 9 (3 beats) and 8 (2 beats): (2 * 9 + 8) / 3
  found <- within_patient_sd(c(55, 58, 61, 40, 44, 99), c("a", "a", "a", "b", "b", "c"))
  expect_equal(found[["sd"]], sqrt(26 / 3))
  expect_equal(found[["cv_percent"]], 100 * sqrt((9 / 58^2 + 8 / 42^2) / 2))
  expect_equal(found[["repeatability"]], 2.77 * sqrt(26 / 3), tolerance = 0.002)
  expect_error(within_patient_sd(1:3, 1:3), "no patient with two beats",
               class = "beatbybeat_bad_argument")
})

test_that("EF lies in the ranges of Lang 2015, by sex, and in none without a sex", {
  label <- function(ef, sex = NULL) interpret_ef(ef, sex)$label[1]
  expect_identical(vapply(c(72, 52, 51, 41, 40, 30, 29), label, "", sex = "male"),
                   c("normal", "normal", "mildly abnormal", "mildly abnormal",
                     "moderately abnormal", "moderately abnormal", "severely abnormal"))
  expect_identical(vapply(c(75, 74, 54, 53), label, "", sex = "female"),
                   c("above the normal range", "normal", "normal", "mildly abnormal"))
  expect_identical(label(60), NA_character_)
  expect_identical(interpret_ef(60)$reason[1], "sex_not_known")
  class <- function(ef) sub(" .*", "", interpret_ef(ef)$label[2])
  expect_identical(vapply(c(40, 41, 49, 50), class, ""),
                   c("reduced", "mildly", "mildly", "preserved"))
  # compared as printed: 49.6 is shown as 50
  expect_identical(class(49.6), "preserved")
  expect_true(all(is.na(interpret_ef(NA)$label)))
  expect_match(interpret_ef(60, "female")$source, "10\\.")
  expect_snapshot(error = TRUE, interpret_ef(120))
  expect_snapshot(error = TRUE, interpret_ef(60, "m"))
  women <- normal_ranges("female")
  expect_identical(women$low[women$measure == "ef_percent"], 54)
})
