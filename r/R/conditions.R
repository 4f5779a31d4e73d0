# Raises every error of the package: one line that says what, where and the cure.
#
# beatbybeat_error
# |-- beatbybeat_bad_argument               what was passed cannot be used
# |-- beatbybeat_store_not_found            nothing at that path
# |-- beatbybeat_store_incomplete           no manifest: never finished, or not a store
# |-- beatbybeat_store_damaged              a missing, short or altered file
# |-- beatbybeat_store_version_unsupported
# |-- beatbybeat_store_invalid              whole, but against the specification
# |-- beatbybeat_study_mismatch            views that do not belong together
# |-- beatbybeat_no_pdf_printer            nothing is there to print a PDF
# `-- beatbybeat_not_written                a report or table cannot be written there

abort_beatbybeat <- function(what, ...) {
  message <- gsub("[[:space:]]+", " ", paste0(...))
  condition <- structure(
    class = c(paste0("beatbybeat_", what), "beatbybeat_error", "error", "condition"),
    list(message = message, call = NULL)
  )
  stop(condition)
}
