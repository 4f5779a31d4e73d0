test_that("an error has the package's classes and one line", {
  error <- tryCatch(abort_beatbybeat("store_damaged", "a\n", " b"), error = identity)
  expect_s3_class(error, c("beatbybeat_store_damaged", "beatbybeat_error", "error"), exact = FALSE)
  expect_identical(conditionMessage(error), "a b")
  expect_null(conditionCall(error))
})

test_that("checks name the argument and what it was", {
  expect_snapshot(error = TRUE, check_string(NULL, "path"))
  expect_snapshot(error = TRUE, check_string(c("a", "b"), "path"))
  expect_snapshot(error = TRUE, check_choice(3, c("a", "b"), "method"))
  expect_snapshot(error = TRUE, check_numeric("x", "area"))
  expect_snapshot(error = TRUE, check_times(c(0, 2, 1), "time_s"))
  expect_snapshot(error = TRUE, check_frames(9, 3))
  expect_snapshot(error = TRUE, report(1, "a.html"))
})
