# Runs the package from a shell: one store in, a report or a table out.

usage <- paste(
  "Usage: Rscript -e 'beatbybeat::main()' STORE.zarr [options]",
  "",
  "Finds the beats of one clip and prints EF and beats.",
  "",
  "  --report FILE          write a report: .html, .pdf, .csv or .json (FHIR R4)",
  "  --csv FILE.csv         write one row per beat",
  "  --method METHOD        beatbybeat (default) or echonet",
  "  --volume-method NAME   area_length (default) or disks",
  "  --validate             check every file and value of the store instead",
  "  --help, --version",
  "",
  "Exit code: 0 done; 1 the store is not valid (--validate); 2 it could not be done.",
  sep = "\n"
)

#' The command line
#'
#' ```
#' Rscript -e 'beatbybeat::main()' clip.zarr --report report.html
#' ```
#'
#' `--csv FILE.csv` writes one row per beat, `--method` and `--volume-method` are those of
#' [detect_beats()], `--validate` runs [validate_segmentation()], and `--help` says the rest. What
#' cannot be done ends in one line on the error stream and exit code 2.
#'
#' @param arguments Arguments; by default those of the command line.
#' @param quit Leave R with the exit code? By default where R is not interactive.
#' @return The exit code, invisibly.
#' @examples
#' store <- example_store()
#' main(store, quit = FALSE)
#' @export
main <- function(arguments = commandArgs(trailingOnly = TRUE), quit = !interactive()) {
  code <- tryCatch(
    run_main(arguments),
    error = function(e) {
      known <- inherits(e, "beatbybeat_error")
      text <- paste0("beatbybeat: ", if (!known) "unexpected: ", conditionMessage(e))
      message(gsub("[[:space:]]+", " ", text))
      2L
    }
  )
  if (quit) {
    quit(save = "no", status = code)
  }
  invisible(code)
}

run_main <- function(arguments) {
  options <- parse_arguments(arguments)
  if (isTRUE(options$help)) {
    cat(usage, "\n", sep = "")
    return(0L)
  }
  if (isTRUE(options$version)) {
    cat("beatbybeat ", package_version_text(), "\n", sep = "")
    return(0L)
  }
  if (isTRUE(options$validate)) {
    return(print_findings(options$store))
  }
  beats <- detect_beats(read_segmentation(options$store), method = options$method,
                        volume_method = options$volume_method)
  print(beats)
  if (!is.null(options$csv)) {
    write_text(csv_lines(beats$table), options$csv)
    cat("Table: ", options$csv, "\n", sep = "")
  }
  if (!is.null(options$report)) {
    report(beats, options$report)
    cat("Report: ", options$report, "\n", sep = "")
  }
  0L
}

switches <- c("help", "version", "validate")

parse_arguments <- function(arguments) {
  options <- list(method = "beatbybeat", volume_method = "area_length")
  valued <- c("report", "csv", "method", "volume-method")
  while (length(arguments) > 0L) {
    word <- arguments[1]
    arguments <- arguments[-1]
    name <- sub("^--", "", sub("=.*$", "", word))
    if (!startsWith(word, "--")) {
      if (!is.null(options$store)) {
        abort_beatbybeat("bad_argument", "one store at a time: ", word, " is one too many.")
      }
      options$store <- word
    } else if (name %in% switches) {
      options[[name]] <- TRUE
    } else if (name %in% valued) {
      if (grepl("=", word, fixed = TRUE)) {
        value <- sub("^[^=]*=", "", word)
      } else {
        value <- arguments[1]
        arguments <- arguments[-1]
      }
      if (is.na(value) || !nzchar(value)) {
        abort_beatbybeat("bad_argument", "--", name, " wants a value; see --help.")
      }
      options[[gsub("-", "_", name)]] <- value
    } else {
      abort_beatbybeat("bad_argument", "unknown option ", word, "; see --help.")
    }
  }
  if (is.null(options$store) && !isTRUE(options$help) && !isTRUE(options$version)) {
    abort_beatbybeat("bad_argument", "no store is given; see --help.")
  }
  options
}

print_findings <- function(store) {
  findings <- validate_segmentation(store)
  if (nrow(findings) == 0L) {
    cat(store, ": valid\n", sep = "")
    return(0L)
  }
  cat(paste0(store, ": ", findings$code, " ", findings$where, ": ", findings$message, "\n"),
      sep = "")
  1L
}

csv_lines <- function(table) {
  connection <- textConnection(NULL, "w")
  on.exit(close(connection))
  utils::write.csv(table, connection, row.names = FALSE, na = "")
  textConnectionValue(connection)
}

package_version_text <- function() {
  as.character(utils::packageVersion("beatbybeat"))
}
