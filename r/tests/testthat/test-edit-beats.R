beats <- beats_of(1, duration_s = 4, calibrated = TRUE)
at <- as.POSIXct("2026-01-02 03:04:00", tz = "UTC")

test_that("a moved ES takes its volume from there, EF follows, the original stays", {
  to_s <- beats$table$es_s[2] + 0.06
  edited <- edit_beats(beats, 2, es_s = to_s, by = "AB", at = at)
  expect_equal(edited$table$es_s[2], to_s)
  expect_gt(edited$table$esv_ml[2], beats$table$esv_ml[2])
  expect_lt(edited$table$ef_percent[2], beats$table$ef_percent[2])
  expect_equal(edited$table$ef_percent[2],
               100 * (1 - edited$table$esv_ml[2] / edited$table$edv_ml[2]))
  expect_identical(edited$table[-2, 1:12], beats$table[-2, 1:12])
  expect_identical(edited$original$table, beats$table)
  expect_equal(summary(edited)$ef_percent, mean(edited$table$ef_percent))
})

test_that("a moved ED ends the beat before and changes both cycles", {
  to_s <- beats$table$ed_s[3] - 0.05
  edited <- edit_beats(beats, 3, ed_s = to_s, by = "AB", at = at)
  expect_equal(edited$table$cycle_s[2], beats$table$cycle_s[2] - 0.05)
  expect_equal(edited$table$cycle_s[3], beats$table$cycle_s[3] + 0.05)
})

test_that("a beat left out is in no mean, and may come back", {
  out <- edit_beats(beats, 1, exclude = TRUE, by = "AB", at = at)
  expect_equal(summary(out)$ef_percent, mean(beats$table$ef_percent[-1]))
  again <- edit_beats(out, 1, exclude = FALSE, by = "CD", at = at)
  expect_equal(summary(again)$ef_percent, summary(beats)$ef_percent)
  expect_identical(again$edits$by, c("AB", "CD"))
  expect_identical(again$original$table, beats$table)
  none <- beats
  for (k in 1:4) none <- edit_beats(none, k, exclude = TRUE, by = "AB", at = at)
  expect_true("no_beat_left" %in% none$warnings$code)
})

test_that("the result says that it was edited, by whom and when", {
  edited <- edit_beats(edit_beats(beats, 1, exclude = TRUE, by = "AB", at = at), 2,
                       es_s = beats$table$es_s[2] + 0.02, by = "CD", at = at)
  said <- edited$warnings$message[edited$warnings$code == "edited"]
  expect_match(said, "beat 1 left out, by AB on 2026-01-02 03:04 UTC; beat 2, ES from",
               fixed = TRUE)
})

test_that("impossible edits are refused by name", {
  expect_snapshot(error = TRUE, edit_beats(beats, 9, exclude = TRUE, by = "AB"))
  expect_snapshot(error = TRUE, edit_beats(beats, 1, exclude = TRUE))
  expect_snapshot(error = TRUE, edit_beats(beats, 1, by = "AB"))
  expect_snapshot(error = TRUE, edit_beats(beats, 1, exclude = "yes", by = "AB"))
  expect_snapshot(error = TRUE, edit_beats(beats, 1, es_s = 99, by = "AB"))
  expect_snapshot(error = TRUE, edit_beats(beats, 2, es_s = 0.9, by = "AB"))
  expect_snapshot(error = TRUE, edit_beats(beats, 2, ed_s = 1.5, by = "AB"))
  expect_snapshot(error = TRUE, edit_beats(beats, 1, exclude = TRUE, by = "AB", at = "now"))
})

test_that("ECG triggers rule: beats reach from one to the next, with the minimum between", {
  clip <- simulate_clip(3, rate_bpm = 75, noise = 0.005, duration_s = 5)
  inside <- clip$beats$ed_s[clip$beats$ed_s >= 0 & clip$beats$ed_s <= 5]
  found <- as.data.frame(detect_beats(frames_of(clip), view = "A4C", ecg_triggers_s = inside))
  expect_equal(found$ed_s, inside[-length(inside)])
  expect_equal(found$cycle_s, diff(inside))
  true <- clip$beats$es_s[match(found$ed_s, clip$beats$ed_s)]
  expect_lt(max(abs(found$es_s - true)), 0.03)
  expect_true(all(found$complete))
  expect_error(detect_beats(frames_of(clip), ecg_triggers_s = 1), "at least two times",
               class = "beatbybeat_bad_argument")
  expect_error(detect_beats(frames_of(clip), ecg_triggers_s = c(2, 1)), "must increase",
               class = "beatbybeat_bad_argument")
})
