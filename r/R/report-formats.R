# Writes what the file name asks for: a page, a printed page, tables or FHIR.

report_formats <- c("html", "pdf", "csv", "json")

format_of <- function(path, formats) {
  check_string(path, "path")
  ending <- tolower(sub(".*\\.", "", basename(path)))
  if (!grepl(".", basename(path), fixed = TRUE)) ending <- "html"
  if (ending == "htm") ending <- "html"
  if (!ending %in% formats) {
    abort_beatbybeat("bad_argument", "`path` (", path, ") must end in ",
                     paste0(".", formats, collapse = ", "), ": that says what is written.")
  }
  ending
}

# `page`, `tables` and `fhir` make what is written; only the one that is asked for is called.
# Of two tables the second goes beside the first, as `name-study.csv`.
write_report <- function(format, path, page, tables, fhir) {
  switch(format,
    html = write_text(page(), path),
    pdf = {
      html <- tempfile(fileext = ".html")
      on.exit(unlink(html))
      write_text(on_paper(page()), html)
      print_pdf(html, path)
    },
    csv = {
      made <- tables()
      write_text(csv_lines(made[[1]]), path)
      if (length(made) > 1L) {
        beside <- sub("\\.csv$", "-study.csv", path, ignore.case = TRUE)
        write_text(csv_lines(made[[2]]), beside)
      }
    },
    json = write_text(jsonlite::toJSON(fhir(), auto_unbox = TRUE, digits = NA, pretty = TRUE), path)
  )
  invisible(path)
}

# The page for the paper that R's option `papersize` names (A4 where it names another).
on_paper <- function(lines) {
  paper <- if (identical(tolower(getOption("papersize", "a4")), "letter")) "letter" else "A4"
  sub("</style>", paste0("@page { size: ", paper, "; }</style>"), lines, fixed = TRUE)
}

# One row a beat; one row for the study.
clip_tables <- function(beats, patient) {
  study <- study_measures(beats, patient$bsa_m2)
  s <- summary(beats)
  row <- c(
    list(clip = basename(beats$segmentation$path), view = beats$view, rhythm = s$rhythm,
         n_complete = s$n_complete, n_included = s$n_included, ef_low = s$ef_low,
         ef_high = s$ef_high, ef_sd = s$ef_sd, ef_source = s$ef_source),
    stats::setNames(as.list(study$mean), study$measure),
    list(warnings = paste(s$warnings$code, collapse = ";"))
  )
  list(beats$table, as.data.frame(row))
}

# One row a pair of beats; one row for the study.
study_tables <- function(study, patient) {
  measures <- study_measures(study, patient$bsa_m2)
  row <- c(
    list(a4c = basename(study$a4c$segmentation$path), a2c = basename(study$a2c$segmentation$path),
         n_pairs = nrow(study$table), ef_low = study$ef[["low"]], ef_high = study$ef[["high"]],
         ef_sd = study$ef[["sd"]], reason = study$reason),
    stats::setNames(as.list(measures$mean), measures$measure),
    list(warnings = paste(unique(study$warnings$code), collapse = ";"))
  )
  list(study$table, as.data.frame(row))
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
