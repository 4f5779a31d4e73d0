beats <- beats_of(1, duration_s = 4)

test_that("an outline wrong by the same share in all frames leaves EF as it is", {
  found <- segmentation_uncertainty(beats, shared = 1, simulations = 100)
  expect_lt(found[["segmentation_sd"]], 1e-9)
  expect_equal(found[["ef_percent"]], summary(beats)$ef_percent)
  expect_equal(found[["beat_to_beat_sd"]], summary(beats)$ef_sd)
})

test_that("the spread of EF is that of the error's propagation", {
  # EF = 100 (1 - (V_es / V_ed)): independent relative errors s of both areas, averaged over the
  # frames that a size is read from, give 100 (1 - EF) * 2 * s * sqrt(2); a long memory keeps a
  # beat's frames alike and makes neighbouring events alike too, so take one beat and a short one.
  one <- edit_beats(beats, 2, exclude = TRUE, by = "test")
  for (k in 3:4) one <- edit_beats(one, k, exclude = TRUE, by = "test")
  found <- segmentation_uncertainty(one, shared = 0, memory_s = 0.05, simulations = 2000,
                                    relative_sd = function(confidence) 0 * confidence + 0.02)
  # Three frames with weights 9 : 5 : 5 and correlations exp(-0.4), exp(-0.8) between them.
  w <- c(5, 9, 5) / 19
  alike <- exp(-0.4 * abs(outer(1:3, 1:3, "-")))
  s <- 0.02 * sqrt(c(w %*% alike %*% w))
  expected <- (100 - found[["ef_percent"]]) * 2 * s * sqrt(2)
  expect_equal(found[["segmentation_sd"]], expected, tolerance = 0.1)
})

test_that("lower confidence gives a wider spread, and more beats do not touch shared errors", {
  sure <- segmentation_uncertainty(beats, simulations = 300)
  unsure <- beats
  unsure$frames$confidence <- 0.7
  expect_gt(segmentation_uncertainty(unsure, simulations = 300)[["segmentation_sd"]],
            2 * sure[["segmentation_sd"]])
  expect_identical(segmentation_uncertainty(beats, simulations = 300), sure)
})

test_that("without confidence or beats there is no number", {
  blind <- beats
  blind$frames$confidence <- NA_real_
  expect_true(is.na(segmentation_uncertainty(blind)[["segmentation_sd"]]))
  none <- detect_beats(data.frame(time_s = 1:9 / 30, area = 1, long_axis = 1))
  expect_true(all(is.na(segmentation_uncertainty(none))))
})
