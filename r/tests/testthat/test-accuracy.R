# The tables that data-raw/beat_table.R and data-raw/coverage.R made, and that vignettes show, hold
# what the package promises. A change of the detector means making them again.
table_of_package <- function(name) {
  utils::read.csv(system.file("extdata", name, package = "beatbybeat"), check.names = FALSE)
}

test_that("beats are found in every row as promised, and not worse than by the published rule", {
  table <- table_of_package("beat_table.csv")
  ours <- table[table$method == "beatbybeat", ]
  theirs <- table[table$method == "echonet", ]
  expect_identical(ours$row, theirs$row)
  expect_identical(nrow(ours), 10L)
  expect_true(all(table$curves >= 500))
  drift <- grepl("drift", ours$row)
  expect_true(all(ours$sensitivity >= ifelse(drift, 0.95, 0.98)))
  expect_true(all(ours$precision >= ifelse(drift, 0.90, 0.98)))
  expect_true(all(ours$sensitivity >= theirs$sensitivity - 0.005))
  expect_true(all(ours$precision >= theirs$precision - 0.005))
  expect_true(all(ours$es_error_ms <= 40))
})

test_that("the interval of an EF holds in 92 to 98 % for 3, 5 and 8 beats, in both rhythms", {
  table <- table_of_package("coverage.csv")
  expect_identical(table$Beats, rep(c(3L, 5L, 8L), 2))
  expect_true(all(table$Unbiased >= 0.92 & table$Unbiased <= 0.98))
  expect_true(all(table$Bootstrap < table$Unbiased))
})

test_that("the generator of the table is found again by the detector, a few curves a row", {
  source_folder <- source_folder_of_package()
  skip_if(is.null(source_folder), "the package's sources are not here (tested as installed)")
  generator <- new.env()
  sys.source(file.path(source_folder, "data-raw", "flow_curves.R"), generator)
  cases <- list(list(), list(rate_bpm = 160, noise = 0.01), list(rhythm = "af", rate_bpm = 90))
  for (case in cases) {
    curve <- do.call(generator$flow_curve, c(list(3), case))
    found <- detect_beats(curve$frames, view = "A4C")$table$es_s
    inner <- curve$beats$es_s > 0.25 & curve$beats$es_s < curve$duration_s - 0.25
    nearest <- vapply(curve$beats$es_s[inner], function(t) min(abs(found - t)), double(1))
    expect_lt(max(nearest), 0.10)
  }
})
