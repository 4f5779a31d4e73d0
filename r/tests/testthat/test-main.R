test_that("the example store is valid, and main() prints its EF", {
  expect_identical(nrow(validate_segmentation(example_store())), 0L)
  expect_output(code <- main(example_store(), quit = FALSE), "Ejection fraction: 5[0-9] %")
  expect_identical(code, 0L)
})

test_that("main() writes a report and a table", {
  page <- tempfile(fileext = ".html")
  table <- tempfile(fileext = ".csv")
  arguments <- c(example_store(), "--report", page, paste0("--csv=", table), "--volume-method",
                 "disks", "--method", "echonet")
  expect_output(main(arguments, quit = FALSE), "Report: ")
  expect_match(readLines(page, 1), "<!doctype html>")
  expect_identical(names(utils::read.csv(table))[1:3], c("beat", "ed_s", "es_s"))
})

test_that("what cannot be done is one line and exit code 2", {
  cases <- list("no-such.zarr", character(), c("a", "b"), c("a", "--fast"), c("a", "--report"),
                c(example_store(), "--method", "magic"),
                c(example_store(), "--report", "no/such/folder/x.html"))
  for (arguments in cases) {
    expect_message(code <- suppressWarnings(utils::capture.output(
      value <- main(arguments, quit = FALSE)
    )), "^beatbybeat: [^\n]+\n$")
    expect_identical(value, 2L)
  }
})

test_that("--validate says valid or lists the findings", {
  expect_output(code <- main(c(example_store(), "--validate"), quit = FALSE), ": valid")
  expect_identical(code, 0L)
  path <- small_store()
  flip_bit(file.path(path, "mask", "0.0.0.0"))
  expect_output(code <- main(c(path, "--validate"), quit = FALSE), "F7 mask/0.0.0.0")
  expect_identical(code, 1L)
})

test_that("--help and --version need no store", {
  expect_output(main("--help", quit = FALSE), "Usage: Rscript")
  expect_output(main("--version", quit = FALSE), "beatbybeat [0-9.]+")
})
