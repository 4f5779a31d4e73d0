# Writes a report as what its file name asks for: a page, a printed page, tables or FHIR.

report_formats <- c("html", "pdf", "csv", "json")

format_of <- function(path) {
  ending <- tolower(sub(".*\\.", "", basename(path)))
  if (!grepl(".", basename(path), fixed = TRUE)) ending <- "html"
  if (ending == "htm") ending <- "html"
  if (!ending %in% report_formats) {
    abort_beatbybeat("bad_argument", "`path` (", path, ") must end in ",
                     paste0(".", report_formats, collapse = ", "), ": that says what is written.")
  }
  ending
}

# One row a beat, and beside it one row a study: `name.csv` and `name-study.csv`.
write_csv_report <- function(beats, path, patient) {
  study <- study_measures(beats, patient$bsa_m2)
  s <- summary(beats)
  wide <- stats::setNames(as.list(study$mean), study$measure)
  row <- c(
    list(clip = basename(beats$segmentation$path), view = beats$view, rhythm = s$rhythm,
         n_complete = s$n_complete, n_included = s$n_included, ef_low = s$ef_low,
         ef_high = s$ef_high, ef_sd = s$ef_sd, ef_source = s$ef_source), wide,
    list(warnings = paste(s$warnings$code, collapse = ";"))
  )
  write_text(csv_lines(beats$table), path)
  write_text(csv_lines(as.data.frame(row)), sub("\\.csv$", "-study.csv", path, ignore.case = TRUE))
  invisible(path)
}

# Programs that print a page, in the order they are tried.
page_printers <- c("chromium", "chromium-browser", "google-chrome", "chrome", "weasyprint")

# Prints a page to PDF by a program found at run time.
print_pdf <- function(html, path, printers = page_printers) {
  found <- Sys.which(printers)
  found <- found[nzchar(found)]
  if (length(found) == 0L) {
    abort_beatbybeat("no_pdf_printer", "a PDF is printed by Chromium or WeasyPrint, and neither ",
                     "is on the PATH; install one, or write the .html and print it.")
  }
  path <- path.expand(path)
  stage <- tempfile(fileext = ".pdf")
  on.exit(unlink(stage))
  arguments <- if (names(found)[1] == "weasyprint") {
    c(html, stage)
  } else {
    profile <- tempfile("chromium-")
    on.exit(unlink(profile, recursive = TRUE), add = TRUE)
    c("--headless", "--disable-gpu", "--no-sandbox", "--no-pdf-header-footer",
      "--disable-dev-shm-usage", paste0("--user-data-dir=", profile),
      paste0("--print-to-pdf=", stage), paste0("file://", html))
  }
  said <- suppressWarnings(system2(found[1], shQuote(arguments), stdout = TRUE, stderr = TRUE,
                                   timeout = 120))
  if (!file.exists(stage) || !identical(readBin(stage, "raw", 4L), charToRaw("%PDF"))) {
    abort_beatbybeat("no_pdf_printer", names(found)[1], " printed no PDF: ",
                     paste(utils::tail(said, 1L), collapse = " "),
                     "; write the .html and print it.")
  }
  if (!suppressWarnings(file.copy(stage, path, overwrite = TRUE))) {
    abort_not_written(path)
  }
  invisible(path)
}
