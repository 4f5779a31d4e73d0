# Writes reports: of a clip, of a study, of a cohort; as what the file name asks for.

#' Write a report
#'
#' The ending of the file name says what is written:
#' * `.html`: one self-contained page, which also prints on A4 and Letter.
#' * `.pdf`: that page, printed by Chromium or WeasyPrint, whichever is found on the `PATH`, on the
#'   paper that `getOption("papersize")` names, A4 or Letter.
#' * `.csv`: tables. For a clip or a study one row a beat (or pair of beats), and beside it
#'   `NAME-study.csv` with one row for the study; for a cohort one row a clip.
#' * `.json`: FHIR R4 of a clip or a study, a DiagnosticReport that holds its Observations,
#'   `preliminary`, with LOINC and UCUM codes, and a `dataAbsentReason` where a number is not to be
#'   had.
#'
#' The page of a clip shows the EF with its interval and class, the curve with its beats, the
#' cycles, the frames of end-diastole and end-systole with the outline, one row for each beat, how
#' good the measurement is, everything a reader must be warned of, and where the numbers come from.
#' The frames are those of the complete beat whose EF is nearest to the mean; without a complete
#' beat, those of the beat that the EF is from. The page of a study ([echo_study()]) shows both
#' views and the pairs of beats; that of a cohort ([analyse_cohort()]) the distribution of EF,
#' quality, failures, and agreement with a reference.
#'
#' @param x What [detect_beats()] made from a segmentation, or what [echo_study()] or
#'   [analyse_cohort()] returned.
#' @param path Path of the file to write; a file of that name is replaced.
#' @param title Heading of the page; by default the store's name.
#' @param patient What is known of the patient, made with [patient()]; or `NULL`.
#' @param reference,subject Names of columns, as in [cohort_agreement()]; `reference` may be `NULL`.
#' @param ... For methods.
#' @return `path`, invisibly.
#' @section Errors:
#' `beatbybeat_not_written` where the file cannot be written, `beatbybeat_no_pdf_printer` where
#' nothing is there to print a PDF, and the errors of [read_mask()] where masks or images of the
#' store are damaged; then nothing is written.
#' @examples
#' store <- example_store()
#' page <- tempfile(fileext = ".html")
#' report(detect_beats(read_segmentation(store)), page)
#' @export
report <- function(x, path, ...) UseMethod("report")

#' @export
report.default <- function(x, path, ...) {
  abort_beatbybeat("bad_argument", "`x` must be beats, a study or a cohort's results, not ",
                   describe_value(x), "; make it with detect_beats(), echo_study() or ",
                   "analyse_cohort().")
}

#' @rdname report
#' @export
report.beatbybeat_beats <- function(x, path, title = NULL, patient = NULL, ...) {
  format <- format_of(path, report_formats)
  check_has_frames(x, "x")
  title <- title_of(title, store_ids(x$segmentation$path))
  check_patient(patient)
  write_report(format, path,
    page = function() report_html(x, title, patient),
    tables = function() clip_tables(x, patient),
    fhir = function() report_fhir(x, patient)
  )
}

#' @rdname report
#' @export
report.beatbybeat_study <- function(x, path, title = NULL, patient = NULL, ...) {
  format <- format_of(path, report_formats)
  check_has_frames(x$a4c, "x$a4c")
  check_has_frames(x$a2c, "x$a2c")
  title <- title_of(title, paste(store_ids(x$a4c$segmentation$path), "and",
                                 store_ids(x$a2c$segmentation$path)))
  check_patient(patient)
  write_report(format, path,
    page = function() study_html(x, title, patient),
    tables = function() study_tables(x, patient),
    fhir = function() report_fhir(x, patient)
  )
}

#' @rdname report
#' @export
report.beatbybeat_cohort_results <- function(x, path, title = "Cohort", reference = NULL,
                                             subject = NULL, ...) {
  format <- format_of(path, setdiff(report_formats, "json"))
  check_string(title, "title")
  agreement <- if (!is.null(reference)) cohort_agreement(x, reference, subject)
  write_report(format, path,
    page = function() cohort_html(x, title, agreement),
    tables = function() list(unclass_frame(x))
  )
}

check_has_frames <- function(beats, name) {
  if (is.null(beats$segmentation)) {
    abort_beatbybeat("bad_argument", "`", name, "` comes from a data frame, and a report needs ",
                     "frames; make it from a store with read_segmentation().")
  }
}

check_patient <- function(patient) {
  if (!is.null(patient)) {
    check_class(patient, "beatbybeat_patient", "patient", "make it with patient()")
  }
}

title_of <- function(title, default) {
  if (is.null(title)) {
    return(default)
  }
  check_string(title, "title")
}
