# Answers for many stores at once, from one JSON file to another: the door for other languages.

#' Analyse many stores at once
#'
#' Reads the paths of stores from a JSON file, finds beats and EF in each, and writes the results
#' to another JSON file. A store that cannot be read gives a result with its error; the others
#' still get done. From a shell:
#'
#' ```
#' Rscript --vanilla -e 'beatbybeat::analyse_batch()' IN.json OUT.json
#' ```
#'
#' `IN.json` holds `stores` (paths), and optionally `method` and `volume_method` (see
#' [detect_beats()]). `OUT.json` holds `results`, in the order of the stores, each with `store`,
#' `error` (null, or `class` and `message`), `measurable`, `reasons`, `ef_percent`, `ef_low`,
#' `ef_high`, `ef_sd`, `ef_source`, `n_beats`, `n_complete`, `edv_ml`, `esv_ml`, `fac_percent`,
#' `heart_rate_bpm`, `rhythm`, `warnings` and `beats`. What is not known is null.
#'
#' @param input,output Paths of the two JSON files; by default the two arguments of the command
#'   line.
#' @return The path `output`, invisibly.
#' @examples
#' store <- example_store()
#' input <- tempfile(fileext = ".json")
#' output <- tempfile(fileext = ".json")
#' writeLines(jsonlite::toJSON(list(stores = list(store)), auto_unbox = TRUE), input)
#' analyse_batch(input, output)
#' jsonlite::fromJSON(output)$results[c("ef_percent", "n_complete")]
#' @export
analyse_batch <- function(input = NULL, output = NULL) {
  if (is.null(input) && is.null(output)) {
    arguments <- commandArgs(trailingOnly = TRUE)
    if (length(arguments) != 2L) {
      abort_beatbybeat("bad_argument", "analyse_batch() wants two arguments, IN.json and ",
                       "OUT.json, and got ", length(arguments), ".")
    }
    input <- arguments[1]
    output <- arguments[2]
  }
  check_string(input, "input")
  check_string(output, "output")
  request <- read_request(input)
  results <- lapply(request$stores, analyse_store, method = request$method,
                    volume_method = request$volume_method)
  json <- jsonlite::toJSON(list(results = results), auto_unbox = TRUE, digits = NA, na = "null",
                           null = "null", dataframe = "rows")
  write_text(json, output)
  invisible(output)
}

read_request <- function(input) {
  if (!file.exists(input)) {
    abort_beatbybeat("bad_argument", "there is no file ", input, ".")
  }
  request <- parse_strict_json(input)
  if (is_json_failure(request) || !is_object(request) ||
        !is_list_of(is_text)(request[["stores"]])) {
    abort_beatbybeat("bad_argument", input, " must hold a JSON object with `stores`, a list of ",
                     "paths.")
  }
  chosen <- function(key, default, choices) {
    value <- if (is.null(request[[key]])) default else request[[key]]
    check_choice(value, choices, key)
  }
  list(
    stores = request[["stores"]],
    method = chosen("method", "beatbybeat", names(beat_methods)),
    volume_method = chosen("volume_method", "area_length", volume_methods)
  )
}

analyse_store <- function(store, method, volume_method) {
  tryCatch(
    {
      beats <- detect_beats(read_segmentation(store), method = method,
                            volume_method = volume_method)
      batch_result(store, beats)
    },
    error = function(e) {
      failure_result(store, list(class = class(e)[1], message = conditionMessage(e)))
    }
  )
}

# The same members as batch_result(), all unknown.
failure_result <- function(store, error) {
  unknown <- c("ef_percent", "ef_low", "ef_high", "ef_sd", "ef_source", "n_beats", "n_complete",
               "edv_ml", "esv_ml", "fac_percent", "heart_rate_bpm", "rhythm")
  c(
    list(store = store, error = error, measurable = FALSE, reasons = list()),
    stats::setNames(rep(list(NULL), length(unknown)), unknown),
    list(warnings = list(), beats = list())
  ) |> utils::modifyList(list(n_beats = 0L, n_complete = 0L))
}

batch_result <- function(store, beats) {
  s <- summary(beats)
  list(
    store = store, error = NULL, measurable = s$measurable, reasons = s$reasons,
    ef_percent = s$ef_percent, ef_low = s$ef_low, ef_high = s$ef_high, ef_sd = s$ef_sd,
    ef_source = s$ef_source, n_beats = s$n_beats, n_complete = s$n_complete, edv_ml = s$edv_ml,
    esv_ml = s$esv_ml, fac_percent = s$fac_percent, heart_rate_bpm = s$heart_rate_bpm,
    rhythm = s$rhythm, warnings = as.list(s$warnings$message), beats = beats$table
  )
}

# Writes a whole file or none: staged beside its place, then renamed.
write_text <- function(text, path) {
  force(text) # an error in making it is its own, not the disk's
  path <- path.expand(path)
  stage <- tempfile(paste0(".", basename(path), "-"), dirname(path))
  done <- FALSE
  on.exit(if (!done) unlink(stage))
  written <- tryCatch(
    {
      writeLines(enc2utf8(text), stage, useBytes = TRUE)
      suppressWarnings(file.rename(stage, path))
    },
    error = function(e) FALSE, warning = function(w) FALSE
  )
  if (!written) {
    abort_not_written(path)
  }
  done <- TRUE
  invisible(path)
}

abort_not_written <- function(path) {
  abort_beatbybeat("not_written", path, " cannot be written; check that its folder exists, is ",
                   "writable and has space.")
}
