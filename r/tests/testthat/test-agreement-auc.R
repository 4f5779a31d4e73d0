test_that("the AUC counts pairs: 7 of 9, ties half", {
  # ill 1 3 5, well 4 5 6: of nine pairs seven are in order, one is tied, one is not
  found <- as.data.frame(auc_delong(c(1, 3, 5, 4, 5, 6), rep(c(TRUE, FALSE), each = 3)))
  expect_equal(found$estimate[1], 7.5 / 9)
  high <- auc_delong(c(1, 3, 5, 4, 5, 6), rep(c(FALSE, TRUE), each = 3), tells = "high")
  expect_equal(as.data.frame(high)$estimate[1], 7.5 / 9)
})

test_that("interval and cut-off are pROC's", {
  skip_if_not_installed("pROC")
  set.seed(8)
  for (n in c(20, 150)) {
    reference <- stats::rnorm(n, 52, 12)
    measured <- round(reference + stats::rnorm(n, sd = 8))
    ours <- as.data.frame(auc_delong(measured, reference < 50, cutoff = 50))
    curve <- pROC::roc(reference < 50, measured, direction = ">", levels = c(FALSE, TRUE),
                       quiet = TRUE)
    theirs <- as.double(pROC::ci.auc(curve, method = "delong"))
    expect_equal(unlist(ours[1, c("low", "estimate", "high")], use.names = FALSE), theirs)
    at <- pROC::coords(curve, 49.5, ret = c("sensitivity", "specificity"))
    expect_equal(ours$estimate[3:4], as.double(unlist(at)))
  }
})

test_that("Wilson's interval of 81 in 263 is the published .255 to .366", {
  # Newcombe 1998, Stat Med 17:857, table I, method 3
  expect_equal(round(wilson_interval(81, 263, stats::qnorm(0.975)), 4), c(0.2553, 0.3662))
  expect_equal(round(wilson_interval(0, 20, stats::qnorm(0.975)), 4), c(0, 0.1611))
})

test_that("groups that do not overlap have an AUC of 1 and no interval", {
  found <- auc_delong(c(1, 2, 3, 7, 8), c(TRUE, TRUE, TRUE, FALSE, FALSE))
  expect_identical(as.data.frame(found)$estimate[1], 1)
  expect_identical(as.data.frame(found)$low[1], NA_real_)
  expect_snapshot(found)
})

test_that("patients count, not beats", {
  value <- c(30, 34, 55, 41, 62, 52)
  ill <- c(TRUE, TRUE, FALSE, TRUE, FALSE, FALSE)
  beats <- auc_delong(rep(value, each = 3), rep(ill, each = 3), rep(1:6, each = 3), cutoff = 50)
  expect_identical(as.data.frame(beats), as.data.frame(auc_delong(value, ill, cutoff = 50)))
  expect_error(auc_delong(value, ill, c(1, 2, 1, 4, 5, 6)), "differs between rows of patient 1",
               class = "beatbybeat_bad_argument")
  expect_error(auc_delong(value, rep(TRUE, 6)), "6 patients with the condition and 0 without",
               class = "beatbybeat_bad_argument")
  expect_error(auc_delong(value, value), "`positive` must be TRUE or FALSE",
               class = "beatbybeat_bad_argument")
})

test_that("every object of agreement can be drawn", {
  skip_if_not(capabilities("png"))
  x <- c(30, 34, 55, 41, 62, 52)
  y <- c(33, 31, 50, 45, 60, 55)
  for (found in list(bland_altman(x, y), concordance_correlation(x, y),
                     measurement_errors(x, y, resamples = 100), intraclass_correlation(cbind(x, y)),
                     auc_delong(x, y < 50, cutoff = 50))) {
    file <- tempfile(fileext = ".png")
    grDevices::png(file, 400, 300)
    expect_identical(withVisible(plot(found))$visible, FALSE)
    grDevices::dev.off()
    expect_gt(file.size(file), 1000)
    expect_s3_class(as.data.frame(found, row.names = letters[seq_len(nrow(found$estimates))]),
                    "data.frame")
  }
})
