# Finds beats and EF in every store of a cohort, in parallel; a bad store is a row with its error.

#' Analyse a cohort
#'
#' Finds beats and EF in every store. A store that cannot be read, or is not there, becomes a row
#' with its error and stops nothing.
#'
#' Where the package future.apply is installed, stores are shared out by it over the plan that is in
#' force (`future::plan()`), or over `workers` processes for this call. Results do not depend on
#' it. Only curves are read: about 20 ms a store and process.
#'
#' @param cohort What [read_cohort()] returned, or what it takes.
#' @param method,volume_method See [detect_beats()].
#' @param workers Number of processes, or `NULL` for the plan in force.
#' @param progress Show a bar?
#' @return A data frame of class `beatbybeat_cohort_results`, one row a clip in the cohort's order:
#'   * `id`, `store`; `error`, `error_message`: class and text of what went wrong, `NA` where
#'     nothing did;
#'   * `ef_percent`, `ef_low`, `ef_high`, `ef_sd`, `ef_source`, `n_beats`, `n_complete`,
#'     `n_included`, `edv_ml`, `esv_ml`, `fac_percent`, `heart_rate_bpm`, `rhythm`, as in
#'     [summary.beatbybeat_beats()];
#'   * `measurable`, `view`, `subject_key`, `model`, `coverage` (share of frames measured),
#'     `confidence` (median over the beats), `warnings` and `reasons` (codes, with `;` between
#'     them);
#'   * the other columns of the cohort, with `cohort_` before a name that is taken already.
#'
#'   `summary()` counts, `plot()` draws the distribution of EF, [report()] writes a page.
#' @seealso [report()] for a report with the agreement with a reference.
#' @examples
#' results <- analyse_cohort(c(example_store(), "lost.zarr"), progress = FALSE)
#' results
#' results$error
#' @export
analyse_cohort <- function(cohort, method = "beatbybeat", volume_method = "area_length",
                           workers = NULL, progress = interactive()) {
  if (!inherits(cohort, "beatbybeat_cohort")) cohort <- read_cohort(cohort)
  check_choice(method, names(beat_methods), "method")
  check_choice(volume_method, volume_methods, "volume_method")
  if (!isTRUE(progress) && !isFALSE(progress)) {
    abort_beatbybeat("bad_argument", "`progress` must be TRUE or FALSE, not ",
                     describe_value(progress), ".")
  }
  restore <- plan_workers(workers)
  on.exit(restore())
  rows <- over_stores(cohort$store, progress, method = method, volume_method = volume_method)
  results <- cbind(id = cohort$id, bind_rows(rows))
  beside <- unclass_frame(cohort)[setdiff(names(cohort), c("id", "store"))]
  clash <- names(beside) %in% names(results)
  names(beside)[clash] <- paste0("cohort_", names(beside)[clash])
  structure(cbind(results, beside), class = c("beatbybeat_cohort_results", "data.frame"))
}

# Lists of single values, all with the same names, as one data frame.
bind_rows <- function(rows) {
  columns <- stats::setNames(nm = names(rows[[1]]))
  list2DF(lapply(columns, function(name) unlist(lapply(rows, `[[`, name))))
}

unclass_frame <- function(x) structure(x, class = "data.frame")

# Puts a plan of `workers` processes in force; gives the function that brings the old one back.
plan_workers <- function(workers) {
  if (is.null(workers)) {
    return(function() NULL)
  }
  whole <- is.numeric(workers) && length(workers) == 1L && isTRUE(workers >= 1) &&
    workers == round(workers)
  if (!whole) {
    abort_beatbybeat("bad_argument", "`workers` must be a whole number of processes or NULL, not ",
                     describe_value(workers), ".")
  }
  if (workers == 1) {
    return(function() NULL)
  }
  if (!has_future()) {
    abort_beatbybeat("bad_argument", "`workers` = ", workers, " needs the package future.apply; ",
                     "install it (on Debian: apt-get install r-cran-future.apply), or take 1.")
  }
  before <- future::plan(future::multisession, workers = workers)
  function() future::plan(before)
}

has_future <- function() {
  requireNamespace("future", quietly = TRUE) && requireNamespace("future.apply", quietly = TRUE)
}

# Stores that are handed out at a time: the bar moves after each such portion.
portion_size <- 64L

over_stores <- function(stores, progress, ...) {
  portions <- split(seq_along(stores), (seq_along(stores) - 1L) %/% (portion_size * plan_size()))
  bar <- if (progress) utils::txtProgressBar(0, length(stores), style = 3)
  rows <- vector("list", length(stores))
  for (at in portions) {
    rows[at] <- one_portion(stores[at], ...)
    if (progress) utils::setTxtProgressBar(bar, max(at))
  }
  if (progress) close(bar)
  rows
}

plan_size <- function() if (has_future()) as.integer(future::nbrOfWorkers()) else 1L

# A process that dies takes its portion with it: those stores are rows with that error.
one_portion <- function(stores, ...) {
  if (plan_size() <= 1L) {
    return(lapply(stores, cohort_row, ...))
  }
  tryCatch(
    future.apply::future_lapply(stores, cohort_row, ..., future.seed = NULL,
                                future.packages = "beatbybeat"),
    FutureError = function(e) {
      lapply(stores, lost_row, error = "beatbybeat_worker_lost", message = paste0(
        "the process that had this store ended: ", conditionMessage(e)
      ))
    }
  )
}

# One row: what cohort_values() gives, or the error.
cohort_row <- function(store, method, volume_method) {
  if (is.na(store)) {
    return(lost_row(store, "beatbybeat_store_not_found", "this clip has no store"))
  }
  tryCatch(
    {
      beats <- detect_beats(read_segmentation(store), method = method,
                            volume_method = volume_method)
      c(list(store = store, error = NA_character_, error_message = NA_character_),
        cohort_values(beats))
    },
    error = function(e) lost_row(store, class(e)[1], conditionMessage(e))
  )
}

lost_row <- function(store, error, message) {
  c(list(store = store, error = error, error_message = message), no_values)
}

summary_columns <- c("ef_percent", "ef_low", "ef_high", "ef_sd", "ef_source", "n_beats",
                     "n_complete", "n_included", "edv_ml", "esv_ml", "fac_percent",
                     "heart_rate_bpm", "rhythm", "measurable", "view")

cohort_values <- function(beats) {
  s <- summary(beats)
  root <- beats$segmentation$attributes
  codes <- setdiff(s$warnings$code, "research_weights")
  known <- function(text) if (is.null(text)) NA_character_ else as.character(text)
  c(unclass(s)[summary_columns], list(
    subject_key = known(root[["subject_key"]]), model = known(root[["model"]][["name"]]),
    coverage = mean(beats$frames$usable),
    confidence = if (nrow(beats$table) > 0L) {
      stats::median(beats$table$confidence, na.rm = TRUE)
    } else {
      NA_real_
    },
    warnings = paste(unique(codes), collapse = ";"),
    reasons = paste(s$reasons$code, collapse = ";")
  ))
}

no_values <- list(
  ef_percent = NA_real_, ef_low = NA_real_, ef_high = NA_real_, ef_sd = NA_real_,
  ef_source = NA_character_, n_beats = NA_integer_, n_complete = NA_integer_,
  n_included = NA_integer_, edv_ml = NA_real_, esv_ml = NA_real_, fac_percent = NA_real_,
  heart_rate_bpm = NA_real_, rhythm = NA_character_, measurable = NA, view = NA_character_,
  subject_key = NA_character_, model = NA_character_, coverage = NA_real_, confidence = NA_real_,
  warnings = NA_character_, reasons = NA_character_
)

#' @export
`[.beatbybeat_cohort_results` <- function(x, ...) {
  plain_where_partial(NextMethod(), "beatbybeat_cohort_results",
                      c("id", "error", names(no_values)))
}
