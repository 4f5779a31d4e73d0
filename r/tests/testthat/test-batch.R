ask <- function(request) {
  input <- tempfile(fileext = ".json")
  output <- tempfile(fileext = ".json")
  writeLines(jsonlite::toJSON(request, auto_unbox = TRUE, null = "null"), input)
  analyse_batch(input, output)
  jsonlite::read_json(output)$results
}

members <- c("store", "error", "measurable", "reasons", "ef_percent", "ef_low", "ef_high", "ef_sd",
             "ef_source", "n_beats", "n_complete", "edv_ml", "esv_ml", "fac_percent",
             "heart_rate_bpm", "rhythm", "warnings", "beats")

test_that("results come in order, with all members, and a bad store does not stop the others", {
  results <- ask(list(stores = list("no-such.zarr", example_store()), method = "beatbybeat"))
  expect_length(results, 2)
  for (result in results) expect_setequal(names(result), members)
  expect_identical(results[[1]]$error$class, "beatbybeat_store_not_found")
  expect_null(results[[1]]$ef_percent)
  expect_null(results[[2]]$error)
  beats <- detect_beats(read_segmentation(example_store()))
  expect_equal(results[[2]]$ef_percent, summary(beats)$ef_percent)
  expect_identical(results[[2]]$n_complete, summary(beats)$n_complete)
  expect_setequal(names(results[[2]]$beats[[1]]), names(as.data.frame(beats)))
})

test_that("what is not known is null, and lists stay lists", {
  path <- small_store(frames = 20L)
  result <- ask(list(stores = list(path)))[[1]]
  expect_null(result$ef_percent)
  expect_null(result$rhythm)
  expect_identical(result$beats, list())
  expect_identical(result$reasons, list())
  expect_type(result$warnings, "list")
  incomplete <- ask(list(stores = list(example_store())))[[1]]$beats[[3]]
  expect_true("cycle_s" %in% names(incomplete) && is.null(incomplete$cycle_s))
})

test_that("reasons of what is not measurable are passed on", {
  verdict <- list(left_ventricle = list(measurable = FALSE, reasons = list(
    list(code = "static", message = "Nothing moves.")
  )))
  path <- small_store(status = rep(4L, 12), attributes = list(quality = verdict))
  result <- ask(list(stores = list(path)))[[1]]
  expect_false(result$measurable)
  expect_identical(result$reasons, list(list(code = "static", message = "Nothing moves.")))
})

test_that("a request that cannot be read is an error", {
  expect_error(analyse_batch("no-such.json", tempfile()), class = "beatbybeat_bad_argument")
  expect_error(ask(list(store = "x")), "`stores`", class = "beatbybeat_bad_argument")
  expect_error(ask(list(stores = list(), method = "magic")), "method",
               class = "beatbybeat_bad_argument")
  expect_identical(ask(list(stores = list())), list())
})

test_that("Rscript runs it from a shell", {
  input <- tempfile(fileext = ".json")
  output <- tempfile(fileext = ".json")
  writeLines(jsonlite::toJSON(list(stores = list(example_store())), auto_unbox = TRUE), input)
  rscript <- file.path(R.home("bin"), "Rscript")
  status <- system2(rscript, c("--vanilla", "-e", shQuote("beatbybeat::analyse_batch()"),
                               shQuote(input), shQuote(output)),
                    env = paste0("R_LIBS=", paste(.libPaths(), collapse = ":")))
  expect_identical(status, 0L)
  expect_length(jsonlite::read_json(output)$results, 1)
})
