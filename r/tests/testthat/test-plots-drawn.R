# How the plots look, against pictures that were looked at.
skip_if_not_installed("vdiffr")

looks <- function(title, x, ...) {
  vdiffr::expect_doppelganger(title, function() plot(x, ...))
}

test_that("a clip: curve, areas, cycles", {
  looks("curve in mL", beats_of(1, calibrated = TRUE), highlight = 2)
  looks("curve of areas", beats_of(1, view = "PSAX"))
  looks("relative curve with a gap", beats_of(1, gap_s = 0.5))
  looks("cycles with a premature beat", beats_of(4, rhythm = "ectopic", duration_s = 8),
        what = "cycles")
})

test_that("agreement", {
  set.seed(2)
  reference <- stats::rnorm(40, 53, 11)
  measured <- reference + 1.5 + stats::rnorm(40, sd = 5)
  looks("limits of agreement", bland_altman(measured, reference))
  looks("limits with repeated beats",
        bland_altman_repeated(measured, reference, rep(1:10, each = 4)))
  looks("concordance", concordance_correlation(measured, reference))
  looks("errors", measurement_errors(measured, reference))
  looks("intraclass correlation", intraclass_correlation(cbind(measured, reference)))
  looks("receiver operating curve", auc_delong(measured, reference < 50, cutoff = 50))
})

test_that("a cohort", {
  rows <- lapply(1:60, function(k) lost_row("x.zarr", NA_character_, NA_character_))
  results <- cbind(id = 1:60, bind_rows(rows))
  results$ef_percent <- 50 + 14 * sin(1:60)
  looks("distribution of EF", structure(results, class = c("beatbybeat_cohort_results",
                                                           "data.frame")))
})
