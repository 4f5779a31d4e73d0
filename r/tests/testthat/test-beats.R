columns <- c("beat", "ed_s", "es_s", "cycle_s", "hr_bpm", "edv_ml", "esv_ml", "edv_relative",
             "esv_relative", "ef_percent", "complete", "confidence", "cycle_before_s",
             "premature", "after_premature", "included", "edited")

test_that("the table has one row per beat and the agreed columns, found or not", {
  expect_identical(names(as.data.frame(beats_of(1))), columns)
  nothing <- detect_beats(data.frame(time_s = 1:3 / 30, area = 1, long_axis = 1))
  expect_identical(names(as.data.frame(nothing)), columns)
  expect_identical(nrow(as.data.frame(nothing)), 0L)
  one <- detect_beats(data.frame(time_s = 0, area = 1, long_axis = 1))
  expect_identical(nrow(as.data.frame(one)), 0L)
})

test_that("ED, ES, cycle and rate are those of the simulated heart", {
  clip <- simulate_clip(4, rate_bpm = 80, noise = 0.005)
  found <- as.data.frame(detect_beats(frames_of(clip), view = "A4C"))
  found <- found[found$complete, ]
  true <- clip$beats[vapply(found$es_s, function(t) which.min(abs(clip$beats$es_s - t)), 1L), ]
  expect_lt(max(abs(found$es_s - true$es_s)), 0.03)
  expect_lt(max(abs(found$ed_s - true$ed_s)), 0.05)
  expect_lt(max(abs(found$cycle_s - (true$next_ed_s - true$ed_s))), 0.05)
  expect_equal(found$hr_bpm, 60 / found$cycle_s)
})

test_that("EF has less than one point of bias on noisy curves, where raw extremes have more", {
  grid <- expand.grid(seed = 1:2, ef = c(30, 60), noise = c(0.01, 0.03), rate = c(60, 110),
                      rate_hz = c(30, 60))
  errors <- lapply(seq_len(nrow(grid)), function(i) {
    g <- grid[i, ]
    clip <- simulate_clip(100 * i + g$seed, ef = g$ef, noise = g$noise, rate_bpm = g$rate,
                          frame_rate_hz = g$rate_hz)
    beats <- detect_beats(frames_of(clip), view = "A4C")
    complete <- beats$measures[beats$measures$complete, ]
    raw <- vapply(seq_len(nrow(complete)), function(k) {
      near <- function(t) abs(beats$frames$time_s - t) <= 0.1
      volume <- beats$frames$volume
      ejection_fraction(max(volume[near(complete$ed_s[k])]), min(volume[near(complete$es_s[k])]))
    }, double(1))
    c(smooth = mean(complete$ef_percent), raw = mean(raw)) - g$ef
  })
  errors <- do.call(rbind, errors)
  expect_lt(abs(mean(errors[, "smooth"])), 1)
  expect_lt(mean(abs(errors[, "smooth"])), 2)
  expect_gt(mean(errors[, "raw"]), 2)
})

test_that("disks and area-length agree on an ellipsoid and differ on a cylinder", {
  clip <- simulate_clip(2, noise = 0.002)
  frames <- frames_of(clip)
  slab <- (seq_len(20) - 0.5) / 20
  widest <- 4 * frames$area / (pi * frames$long_axis)
  frames$diameters <- outer(widest, 2 * sqrt(slab * (1 - slab)))
  by_area <- summary(detect_beats(frames, view = "A4C"))
  by_disks <- summary(detect_beats(frames, view = "A4C", volume_method = "disks"))
  expect_equal(by_disks$ef_percent, by_area$ef_percent, tolerance = 1e-3)
  frames$diameters <- matrix(frames$area / frames$long_axis, nrow(frames), 20)
  cylinder <- detect_beats(frames, view = "A4C", volume_method = "disks")
  expect_false(isTRUE(all.equal(cylinder$measures$size_ed, detect_beats(frames)$measures$size_ed)))
  expect_error(detect_beats(frames[1:5], volume_method = "disks"), "column `diameters`",
               class = "beatbybeat_bad_argument")
})

test_that("without calibration there are no millilitres, and the largest EDV is 1", {
  table <- as.data.frame(beats_of(1, calibrated = FALSE))
  expect_true(all(is.na(table$edv_ml)) && all(is.na(table$esv_ml)))
  expect_identical(max(table$edv_relative), 1)
  calibrated <- as.data.frame(beats_of(1, calibrated = TRUE))
  expect_equal(calibrated$ef_percent, 100 * (1 - calibrated$esv_ml / calibrated$edv_ml))
  expect_equal(calibrated$ef_percent, table$ef_percent)
})

test_that("EF does not depend on the unit of length", {
  frames <- frames_of(simulate_clip(1))
  large <- frames
  large$area <- frames$area * 100
  large$long_axis <- frames$long_axis * 10
  expect_equal(as.data.frame(detect_beats(large))$ef_percent,
               as.data.frame(detect_beats(frames))$ef_percent)
})

test_that("parasternal views have a fractional area change and no EF or volume", {
  for (view in c("PLAX", "PSAX")) {
    beats <- beats_of(1, view = view, calibrated = TRUE)
    table <- as.data.frame(beats)
    expect_true(all(is.na(table[c("edv_ml", "esv_ml", "edv_relative", "ef_percent")])))
    expect_equal(summary(beats)$fac_percent, mean(beats$measures$fac_percent[table$complete]))
    expect_identical(summary(beats)$ef_percent, NA_real_)
    expect_true("area_only" %in% beats$warnings$code)
  }
})

test_that("a beat is complete only with its ED, its ES and the next ED inside", {
  whole <- beats_of(3, duration_s = 4)
  table <- as.data.frame(whole)
  expect_true(all(table$ed_s[table$complete] < table$es_s[table$complete]))
  expect_true(all(is.na(table$cycle_s[!table$complete])))
  # 30 frames at 30 Hz that begin 0.1 s after ED: one ES, its own ED cut off, the next one inside.
  cut <- beats_of(5, duration_s = 29 / 30, frame_rate_hz = 30, rate_bpm = 75, phase = 0.12)
  expect_identical(as.data.frame(cut)$complete, FALSE)
  expect_gt(as.data.frame(cut)$ed_s, as.data.frame(cut)$es_s)
  expect_lt(abs(summary(cut)$ef_percent - 60), 6)
  expect_identical(summary(cut)$ef_source, "an incomplete beat")
  expect_match(cut$warnings$message[1], "EF is from an incomplete beat")
})

test_that("an ES without any ED beside it gives no EF, and the warning says so", {
  frames <- frames_of(simulate_clip(5, rate_bpm = 60, frame_rate_hz = 50, phase = 0.18))
  frames <- frames[frames$time_s <= 0.42, ]
  beats <- detect_beats(frames, view = "A4C")
  expect_identical(nrow(as.data.frame(beats)), 1L)
  expect_true(is.na(as.data.frame(beats)$ef_percent))
  expect_true(is.na(as.data.frame(beats)$esv_relative))
  expect_match(beats$warnings$message[1], "no end-diastole beside it")
})

test_that("one-second clips: EF is near the truth wherever one is given", {
  errors <- vapply(1:60, function(seed) {
    clip <- simulate_clip(seed, rate_bpm = 55 + seed %% 40, frame_rate_hz = 30, noise = 0.01,
                          duration_s = 29 / 30)
    summary(detect_beats(frames_of(clip), view = "A4C"))$ef_percent - 60
  }, double(1))
  expect_gt(mean(!is.na(errors)), 0.6)
  expect_lt(mean(abs(errors), na.rm = TRUE), 3)
  expect_lt(stats::quantile(abs(errors), 0.95, na.rm = TRUE), 8)
})

test_that("no clip of a second gives a false EF, wherever in the beat it begins", {
  off <- vapply(c(25, 101:130, 177, 181, 252, 270, 278), function(seed) {
    clip <- simulate_clip(seed, rate_bpm = 45 + seed %% 100, frame_rate_hz = 30,
                          duration_s = 29 / 30, noise = 0.03)
    summary(detect_beats(frames_of(clip), view = "A4C"))$ef_percent - 60
  }, double(1))
  expect_gt(mean(!is.na(off)), 0.9)
  expect_lt(max(abs(off), na.rm = TRUE), 15)
})

test_that("a long gap splits the clip, and no beat reaches across it", {
  clip <- simulate_clip(8, duration_s = 6, gap_s = 0.6, noise = 0.01)
  beats <- detect_beats(frames_of(clip), view = "A4C")
  expect_identical(max(beats$measures$stretch), 2L)
  gap <- range(clip$frames$time_s[clip$frames$status == 4L])
  complete <- beats$measures[beats$measures$complete, ]
  expect_false(any(complete$ed_s < gap[1] & complete$next_ed_s > gap[2]))
  expect_true("gaps" %in% beats$warnings$code)
  expect_false(any(beats$es_to_es_s > 1.3 * 60 / 70))
})

test_that("status 3 is used with a warning; 1, 2 and 4 are not used", {
  frames <- frames_of(simulate_clip(1))
  frames$status[10:12] <- 3L
  frames$status[30] <- 1L
  frames$status[31] <- 2L
  frames$status[32] <- 4L
  frames$area[30:32] <- c(0, NA, 1e9)
  beats <- detect_beats(frames, view = "A4C")
  expect_identical(which(!beats$frames$usable), 30:32)
  expect_true("touches_edge" %in% beats$warnings$code)
  expect_lt(abs(summary(beats)$ef_percent - 60), 2)
})

test_that("a ventricle that empties all but wholly has a volume of zero at least", {
  time_s <- seq(0, 4, by = 0.04)
  area <- 0.5 + 30 * cos(pi * time_s / 0.8)^2 # volume, its square, is flatter at the bottom
  beats <- detect_beats(data.frame(time_s, area, long_axis = 8), view = "A4C", calibrated = TRUE)
  table <- as.data.frame(beats)
  expect_gt(nrow(table), 3)
  expect_true(all(table$esv_ml >= 0))
  expect_true(all(table$ef_percent <= 100, na.rm = TRUE))
})

test_that("an irregular rhythm is named, and its rate is the mean one", {
  beats <- beats_of(21, rhythm = "af", rate_bpm = 90, duration_s = 8, noise = 0.005)
  expect_identical(summary(beats)$rhythm, "irregular")
  expect_equal(summary(beats)$heart_rate_bpm, 60 / mean(beats$es_to_es_s))
  expect_true("irregular_rhythm" %in% beats$warnings$code)
  steady <- beats_of(21, rate_bpm = 70, duration_s = 8)
  expect_identical(summary(steady)$rhythm, "regular")
})

test_that("of a curve that flickers neither heart rate nor rhythm is told, and a warning says so", {
  clip <- simulate_clip(1, rhythm = "af", rate_bpm = 90, ef = 20, noise = 0.04, slips = 0.3,
                        duration_s = 5)
  found <- detect_beats(frames_of(clip), view = "A4C")
  told <- function(beats) unlist(summary(beats)[c("heart_rate_bpm", "rhythm")])
  expect_true(all(is.na(told(found))))
  expect_match(found$warnings$message[found$warnings$code == "flicker"], "rhythm are not told")
  expect_false("irregular_rhythm" %in% found$warnings$code)
  expect_identical(study_measures(found)$reason[study_measures(found)$measure == "heart_rate_bpm"],
                   "flicker")
  expect_gt(nrow(as.data.frame(found)), 3)
  # An ECG and a reader tell both.
  by_ecg <- detect_beats(frames_of(clip), view = "A4C", ecg_triggers_s = clip$beats$ed_s[-1])
  expect_lt(abs(summary(by_ecg)$heart_rate_bpm - 60 / mean(diff(clip$beats$ed_s[-1]))), 6)
  expect_false(anyNA(told(edit_beats(found, 2, exclude = TRUE, by = "reader"))))
})

test_that("an atrial fibrillation with little noise is told", {
  for (seed in 1:20) {
    beats <- beats_of(seed, rhythm = "af", rate_bpm = 90, ef = 20, noise = 0.01, duration_s = 5)
    expect_false(is.na(summary(beats)$heart_rate_bpm))
  }
})

test_that("a premature beat is named with its time", {
  beats <- beats_of(2, rhythm = "ectopic", duration_s = 5, noise = 0.005)
  said <- beats$warnings$message[beats$warnings$code == "premature_beat"]
  expect_match(said, "end-systole at [0-9.]+ s")
})

test_that("heart rate is within 2 bpm, from 40 to 160", {
  for (rate_bpm in c(40, 65, 100, 130, 160)) {
    clip <- simulate_clip(rate_bpm, rate_bpm = rate_bpm, duration_s = 6)
    rate <- summary(detect_beats(frames_of(clip), view = "A4C"))$heart_rate_bpm
    expect_lt(abs(rate - rate_bpm), 2)
  }
})

test_that("confidence lies between 0 and 1, and noise lowers it", {
  quiet <- beats_of(1, noise = 0.002)$table$confidence
  noisy <- beats_of(1, noise = 0.06)$table$confidence
  expect_true(all(quiet > 0 & quiet <= 1))
  expect_lt(mean(noisy), mean(quiet))
  expect_true(all(confidence_part_names %in% names(beats_of(1)$measures)))
})

test_that("the echonet method changes how end-systoles are found, and only that", {
  ours <- beats_of(1, noise = 0.002)
  theirs <- beats_of(1, noise = 0.002, method = "echonet")
  expect_equal(theirs$table$es_s, ours$table$es_s, tolerance = 0.02)
  fast <- beats_of(1, rate_bpm = 165, method = "echonet")
  expect_lt(nrow(fast$table), nrow(beats_of(1, rate_bpm = 165)$table))
})

test_that("wrong input is refused by name", {
  frames <- frames_of(simulate_clip(1))
  expect_snapshot(error = TRUE, detect_beats(1:3))
  expect_snapshot(error = TRUE, detect_beats(frames, method = "fast"))
  expect_snapshot(error = TRUE, detect_beats(frames[c("time_s", "long_axis")]))
  expect_snapshot(error = TRUE, detect_beats(frames[c(2, 1, 3), ]))
  expect_snapshot(error = TRUE, detect_beats(transform(frames, time_s = c(NA, time_s[-1]))))
})
