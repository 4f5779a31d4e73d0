# A folder with three stores of known hearts, one of them a folder deeper, and one damaged.
cohort_folder <- function() {
  folder <- tempfile("cohort-")
  dir.create(file.path(folder, "site-2"), recursive = TRUE)
  write_beating_store(file.path(folder, "a.zarr"), seed = 1, duration_s = 3, ef = 60,
                      store = list(attributes = list(subject_key = "p1")))
  write_beating_store(file.path(folder, "b.zarr"), seed = 2, duration_s = 3, ef = 35)
  write_beating_store(file.path(folder, "site-2", "c.zarr"), seed = 3, duration_s = 0.5)
  file.copy(file.path(folder, "a.zarr"), file.path(folder, "site-2"), recursive = TRUE)
  file.rename(file.path(folder, "site-2", "a.zarr"), file.path(folder, "site-2", "d.zarr"))
  flip_bit(file.path(folder, "site-2", "d.zarr", "area_px", "0.0"))
  folder
}

folder <- cohort_folder()

test_that("a folder's stores are found, also below, without opening any", {
  cohort <- read_cohort(folder)
  expect_s3_class(cohort, "beatbybeat_cohort")
  expect_identical(cohort$id, c("a", "b", "c", "d"))
  expect_true(all(dir.exists(cohort$store)))
  expect_identical(read_cohort(cohort$store)$store, cohort$store)
  expect_identical(folder_ids(c("a.zarr", "x/b.zarr", "y/b.zarr")), c("a", "x/b", "y/b"))
})

test_that("a table beside the stores brings its columns, and keeps clips that were lost", {
  table <- data.frame(id = c("b", "001", "a"), ef_reference = c(33, 50, 61), status = "done")
  utils::write.csv(table, file.path(folder, "cohort.csv"), row.names = FALSE)
  on.exit(unlink(file.path(folder, "cohort.csv")))
  cohort <- read_cohort(folder)
  expect_identical(cohort$id, c("b", "001", "a", "c", "d"))
  expect_identical(is.na(cohort$store), c(FALSE, TRUE, FALSE, FALSE, FALSE))
  expect_identical(cohort$ef_reference, c(33L, 50L, 61L, NA, NA))
  expect_output(print(cohort), "5 clips, 1 without a store")
  own <- file.path(folder, "own.csv")
  utils::write.csv(data.frame(store = c("a.zarr", "site-2/c.zarr"), arm = 1:2), own,
                   row.names = FALSE)
  on.exit(unlink(own), add = TRUE)
  expect_true(all(dir.exists(read_cohort(own)$store)))
})

test_that("a bad store and a lost one are rows with their error, and stop nothing", {
  cohort <- read_cohort(rbind(unclass_frame(read_cohort(folder)),
                              data.frame(id = "gone", store = NA)))
  cohort$error <- "from the table"
  results <- analyse_cohort(cohort, progress = FALSE)
  expect_identical(results$id, c("a", "b", "c", "d", "gone"))
  expect_identical(results$error, c(NA, NA, NA, "beatbybeat_store_damaged",
                                    "beatbybeat_store_not_found"))
  expect_match(results$error_message[4], "d.zarr")
  expect_identical(unique(results$cohort_error), "from the table")
  expect_lt(max(abs(results$ef_percent[1:2] - c(60, 35))), 4)
  alone <- summary(detect_beats(read_segmentation(cohort$store[1])))
  expect_identical(results$ef_percent[1], alone$ef_percent)
  expect_identical(results$subject_key, c("p1", NA, NA, NA, NA))
  expect_match(results$warnings[3], "no_complete_beat")
  s <- summary(results)
  expect_identical(s$n, s$n_ef + s$n_no_ef + s$n_not_measurable + s$n_failed)
  expect_identical(s$n_failed, 2L)
  expect_identical(s$errors[["beatbybeat_store_damaged"]], 1L)
})

test_that("rows of a cohort are a cohort, some of its columns are a plain table", {
  results <- analyse_cohort(folder, progress = FALSE)
  expect_s3_class(results[1:2, ], "beatbybeat_cohort_results")
  expect_identical(class(results[c("id", "ef_percent")]), "data.frame")
  expect_type(results[["ef_percent"]], "double")
  expect_type(results[, "ef_percent"], "double")
  expect_identical(class(read_cohort(folder)["id"]), "data.frame")
  expect_output(print(results[c("id", "ef_percent")]), "ef_percent")
})

test_that("processes side by side give what one process gives", {
  skip_on_cran()
  skip_if_not_installed("future.apply")
  # Workers load the installed package, which may be elsewhere than in the usual libraries.
  old <- Sys.getenv("R_LIBS")
  Sys.setenv(R_LIBS = paste(.libPaths(), collapse = ":"))
  on.exit(Sys.setenv(R_LIBS = old))
  one <- analyse_cohort(folder, progress = FALSE)
  two <- analyse_cohort(folder, workers = 2, progress = FALSE)
  expect_identical(two, one)
  expect_s3_class(future::plan(), "sequential")
})

test_that("a bar is shown where it is asked for", {
  expect_output(analyse_cohort(folder, progress = TRUE), "100%")
})

test_that("what is no cohort is refused by name", {
  expect_snapshot(error = TRUE, read_cohort(3))
  expect_snapshot(error = TRUE, read_cohort("no-such-folder"))
  expect_snapshot(error = TRUE, read_cohort(data.frame(path = "a.zarr")))
  expect_snapshot(error = TRUE, read_cohort(c("x/a.zarr", "y/a.zarr")))
  expect_snapshot(error = TRUE, read_cohort("lost.csv"))
  expect_snapshot(error = TRUE, read_cohort(data.frame(store = character())))
  expect_snapshot(error = TRUE, analyse_cohort("a.zarr", workers = 0))
  expect_snapshot(error = TRUE, analyse_cohort("a.zarr", progress = "yes"))
  empty <- tempfile("empty-")
  dir.create(empty)
  expect_error(read_cohort(empty), "holds no store", class = "beatbybeat_bad_argument")
})

# A cohort of which the reference is known, without stores.
made_up <- function(n = 40, clips = 1L, bias = 2) {
  set.seed(5)
  patient <- rep(seq_len(n), each = clips)
  reference <- rep(seq(25, 70, length.out = n), each = clips)
  rows <- lapply(seq_along(patient), function(k) lost_row("x.zarr", NA_character_, NA_character_))
  results <- bind_rows(rows)
  results$ef_percent <- reference + bias + stats::rnorm(length(patient), sd = 3)
  results <- cbind(id = as.character(seq_along(patient)), results)
  results$measurable <- TRUE
  results$subject_key <- paste0("p", patient)
  results$truth <- reference
  structure(results, class = c("beatbybeat_cohort_results", "data.frame"))
}

test_that("prints say what is there", {
  expect_snapshot(read_cohort(data.frame(store = c("x/a.zarr", NA), id = 1:2, arm = 1:2)))
  expect_snapshot(made_up())
  expect_snapshot(summary(made_up()[0, ]))
})

test_that("agreement with a reference is that of the single functions, by patient", {
  results <- made_up()
  found <- cohort_agreement(results, "truth")
  expect_identical(found$by, "patient")
  expect_identical(found$n, 40L)
  expect_equal(found$bland_altman,
               bland_altman(results$ef_percent, results$truth, results$subject_key))
  expect_named(found$auc, c("below_35", "below_40", "below_50"))
  again <- cohort_agreement(made_up(clips = 3L), "truth")
  expect_identical(again$n, 40L)
  expect_true(again$bland_altman$repeated)
  lost <- results
  lost$ef_percent[3] <- NA
  lost$subject_key[3] <- NA
  expect_identical(cohort_agreement(lost, "truth")[c("n", "left_out", "by")],
                   list(n = 39L, left_out = 1L, by = "patient"))
  lost$subject_key[4] <- NA
  expect_identical(cohort_agreement(lost, "truth")$by, "clip")
  expect_snapshot(error = TRUE, cohort_agreement(results, "ef_reference"))
  expect_snapshot(error = TRUE, cohort_agreement(lost, "truth", subject = "subject_key"))
  expect_error(cohort_agreement(1, "truth"), "make it with analyse_cohort",
               class = "beatbybeat_bad_argument")
})

test_that("the cohort's page has distribution, failures, quality and agreement", {
  results <- made_up()
  results$error[1] <- "beatbybeat_store_damaged"
  results$error_message[1] <- "<b>clip</b> is damaged"
  results$ef_percent[1] <- NA
  page <- tempfile(fileext = ".html")
  report(results, page, title = "Trial", reference = "truth")
  text <- paste(readLines(page), collapse = " ")
  for (said in c("Trial", "Median ejection fraction", "Distribution of EF", "Agreement with the",
                 "Failures", "&lt;b&gt;clip&lt;/b&gt; is damaged", "AUC, EF below 40 %",
                 "39 patients")) {
    expect_match(text, said, fixed = TRUE)
  }
  expect_false(grepl("<script|https?://", text))
  table <- tempfile(fileext = ".csv")
  report(results, table)
  expect_identical(nrow(utils::read.csv(table)), 40L)
  expect_error(report(results, "x.json"), "must end in .html, .pdf, .csv",
               class = "beatbybeat_bad_argument")
  none <- results[1, ]
  report(none, page)
  expect_match(paste(readLines(page), collapse = " "), "no clip has an EF")
})
