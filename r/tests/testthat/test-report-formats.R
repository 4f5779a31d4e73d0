beats <- detect_beats(read_segmentation(beating_store(6, duration_s = 5, store = list(
  spacing_cm = c(0.12, 0.12)
))))

fhir_of <- function(beats, patient = NULL) {
  path <- tempfile(fileext = ".json")
  report(beats, path, patient = patient)
  jsonlite::read_json(path)
}

observation <- function(found, id) {
  Filter(function(o) identical(o$id, id), found$contained)[[1]]
}

test_that("FHIR: a preliminary report refers to every observation that it holds", {
  found <- fhir_of(beats)
  expect_identical(found$resourceType, "DiagnosticReport")
  expect_identical(found$status, "preliminary")
  ids <- vapply(found$contained, `[[`, "", "id")
  expect_identical(vapply(found$result, `[[`, "", "reference"), paste0("#", ids))
  for (one in found$contained) {
    expect_identical(one$resourceType, "Observation")
    expect_identical(one$status, "preliminary")
    # R4 obs-6: a reason only where there is no value
    expect_true(xor(is.null(one$valueQuantity), is.null(one$dataAbsentReason)))
    expect_match(one$id, "^[A-Za-z0-9.-]{1,64}$")
  }
  expect_match(found$conclusion, "Not for clinical use")
  expect_null(found$subject)
})

test_that("FHIR: EF has its LOINC and UCUM codes, its interval and its number of beats", {
  ef <- observation(fhir_of(beats), "ef-percent")
  s <- summary(beats)
  expect_identical(ef$code$coding[[1]]$system, "http://loinc.org")
  expect_identical(ef$code$coding[[1]]$code, "18043-0")
  expect_identical(ef$valueQuantity$code, "%")
  expect_equal(ef$valueQuantity$value, s$ef_percent, tolerance = 1e-5)
  parts <- vapply(ef$component, function(p) p$valueQuantity$value, double(1))
  expect_equal(parts, c(s$n_included, s$ef_low, s$ef_high, s$ef_sd), tolerance = 1e-5)
})

test_that("FHIR: what is not to be had says why, and a sex brings the normal range", {
  free <- detect_beats(read_segmentation(beating_store(6, duration_s = 3)))
  found <- fhir_of(free, patient(id = "p-1", sex = "male"))
  edv <- observation(found, "edv-ml")
  expect_null(edv$valueQuantity)
  expect_identical(edv$dataAbsentReason$text, "uncalibrated")
  expect_identical(edv$dataAbsentReason$coding[[1]]$code, "unknown")
  ef <- observation(found, "ef-percent")
  expect_identical(ef$referenceRange[[1]]$low$value, 52L)
  expect_identical(found$subject$identifier$value, "p-1")
  expect_null(observation(fhir_of(free), "ef-percent")$referenceRange)
})

test_that("tables: one row a beat, and one for the study", {
  path <- tempfile(fileext = ".csv")
  report(beats, path)
  expect_identical(nrow(utils::read.csv(path)), nrow(beats$table))
  study <- utils::read.csv(sub(".csv", "-study.csv", path, fixed = TRUE))
  expect_identical(nrow(study), 1L)
  expect_equal(study$ef_percent, summary(beats)$ef_percent)
  expect_true(is.na(study$edv_index_ml_m2))
})

test_that("the page shows the patient only as given, and a range only with a sex", {
  path <- tempfile(fileext = ".html")
  text <- function(patient) {
    report(beats, path, patient = patient)
    paste(readLines(path), collapse = " ")
  }
  shown <- text(patient(name = "A <b>", sex = "female", height_cm = 166, weight_kg = 70))
  expect_match(shown, "A &lt;b&gt; . female . 166 cm, 70 kg . body surface 1.80 m. \\(Mosteller\\)")
  expect_match(shown, "EF is [a-z ]+ <small>\\(Lang 2015")
  expect_false(grepl("Lang 2015", text(patient(age_years = 60))))
  expect_false(grepl("class=\"patient\"", text(NULL)))
})

test_that("a file of another kind and a missing printer are refused with the cure", {
  expect_error(report(beats, "x.docx"), "must end in .html, .pdf, .csv, .json",
               class = "beatbybeat_bad_argument")
  expect_error(print_pdf("a.html", "b.pdf", printers = "no-such-printer"), "Chromium or WeasyPrint",
               class = "beatbybeat_no_pdf_printer")
  expect_error(report(beats, tempfile(fileext = ".html"), patient = list(sex = "male")),
               "make it with patient", class = "beatbybeat_bad_argument")
})

test_that("a PDF is printed where a printer is found", {
  skip_on_cran()
  skip_if_not(any(nzchar(Sys.which(page_printers))), "no program that prints PDF")
  path <- tempfile(fileext = ".pdf")
  report(beats, path)
  expect_identical(readBin(path, "raw", 4L), charToRaw("%PDF"))
})

study_of_two <- function(...) {
  views <- lapply(c(A4C = "A4C", A2C = "A2C"), function(view) {
    read_segmentation(beating_store(6, duration_s = 5, store = list(
      spacing_cm = c(0.12, 0.12), attributes = list(view = view)
    )))
  })
  echo_study(a4c = views$A4C, a2c = views$A2C)
}

test_that("a study is reported with both views, as page, tables and FHIR", {
  study <- study_of_two()
  page <- tempfile(fileext = ".html")
  report(study, page, patient = patient(sex = "male", bsa_m2 = 2))
  text <- paste(readLines(page), collapse = " ")
  for (said in c("Ejection fraction, biplane", "A4C: ", "A2C: ", "Pairs of beats", "mL/m",
                 "Quality, four-chamber clip", "Quality, two-chamber clip")) {
    expect_match(text, said, fixed = TRUE)
  }
  expect_identical(lengths(regmatches(text, gregexpr("data:image/png", text))), 6L)
  table <- tempfile(fileext = ".csv")
  report(study, table)
  expect_identical(nrow(utils::read.csv(table)), nrow(study$table))
  one <- utils::read.csv(sub(".csv", "-study.csv", table, fixed = TRUE))
  expect_equal(one$edv_ml, study$edv_ml)
  found <- fhir_of(study)
  expect_equal(observation(found, "ef-percent")$valueQuantity$value, study$ef[["mean"]],
               tolerance = 1e-5)
  expect_match(observation(found, "ef-percent")$method$text, "biplane")
  measures <- study_measures(study, bsa_m2 = 2)
  rate <- measures$mean[measures$measure == "heart_rate_bpm"]
  expect_equal(measures$mean[measures$measure == "cardiac_index_l_min_m2"],
               mean(study$table$edv_ml - study$table$esv_ml) * rate / 2000)
})

test_that("a clip's page has cycles, class with its source, quality and notes on beats", {
  page <- tempfile(fileext = ".html")
  edited <- edit_beats(beats, 2, exclude = TRUE, by = "AB", at = as.POSIXct(0, "UTC", "1970-01-01"))
  report(edited, page)
  text <- paste(readLines(page), collapse = " ")
  for (said in c("EF class: ", "Universal definition", "Quality", "Doubt about outlines",
                 "left out by a reader", "Edited: beat 2 left out, by AB on 1970-01-01",
                 "edited by a reader", "Length of every cycle", "never final")) {
    expect_match(text, said, fixed = TRUE)
  }
  expect_false(grepl("Lang 2015", text))
})
