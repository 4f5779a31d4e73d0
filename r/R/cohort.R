# Makes the table of a cohort: which stores there are, and what is known of each beside its curves.

#' Read a cohort
#'
#' A cohort is many stores with one row each: a folder of stores, beside which a table
#' `cohort.csv` may lie, or a table of your own with a column of paths. Opens no store;
#' [analyse_cohort()] does.
#'
#' @param x A folder of stores (`<clip>.zarr`, also in folders below); or the paths of stores; or a
#'   data frame, or the path of a `.csv` file, with a column `store` of paths. Paths in a file that
#'   are not absolute start at the file's folder.
#' @param table For a folder: a data frame, or the path of a `.csv` file, with a column `id` that
#'   names the stores without `.zarr` (with the folder where two below have one name), and whatever
#'   else is known: a reference EF, the patient. By default `cohort.csv` in the folder, where it is
#'   there. Rows without a store stay, so that a clip that was lost on the way is counted.
#' @return A data frame of class `beatbybeat_cohort`: `id`, `store` (a path, `NA` where the table
#'   names a clip that has no store), and the columns of the table.
#' @section Errors:
#' `beatbybeat_bad_argument` where nothing is found, a column is missing, or two rows have one id.
#' @seealso [analyse_cohort()]
#' @examples
#' cohort <- read_cohort(dirname(example_store()))
#' cohort
#' @export
read_cohort <- function(x, table = NULL) {
  if (is.data.frame(x)) {
    return(cohort_from_table(x, getwd(), "x"))
  }
  if (!is.character(x) || length(x) == 0L || anyNA(x)) {
    abort_beatbybeat("bad_argument", "`x` must be a folder of stores, paths of stores, or a data ",
                     "frame with the column `store`, not ", describe_value(x), ".")
  }
  if (length(x) == 1L && grepl("\\.csv$", x, ignore.case = TRUE)) {
    return(cohort_from_table(read_cohort_csv(x, "x"), dirname(x), "x"))
  }
  if (length(x) > 1L || is_store_path(x)) {
    return(new_cohort(data.frame(id = store_ids(x), store = path.expand(x))))
  }
  cohort_from_folder(x, table)
}

is_store_path <- function(path) grepl("\\.zarr/*$", path)

store_ids <- function(paths) sub("\\.zarr$", "", basename(sub("/+$", "", paths)))

cohort_from_folder <- function(folder, table) {
  folder <- path.expand(folder)
  if (!dir.exists(folder)) {
    abort_beatbybeat("bad_argument", "`x`: there is no folder ", folder, ".")
  }
  inside <- stores_below(folder)
  found <- data.frame(id = folder_ids(inside), store = file.path(folder, inside))
  beside <- file.path(folder, "cohort.csv")
  if (is.null(table) && file.exists(beside)) table <- beside
  if (is.character(table)) table <- read_cohort_csv(table, "table")
  if (is.null(table)) {
    if (nrow(found) == 0L) {
      abort_beatbybeat("bad_argument", "`x`: the folder ", folder, " holds no store (a folder ",
                       "named <clip>.zarr).")
    }
    return(new_cohort(found))
  }
  check_table(table, "id", "table")
  table$id <- sub("\\.zarr$", "", as.character(table$id))
  table$store <- found$store[match(table$id, found$id)]
  more <- found[!found$id %in% table$id, ]
  more[setdiff(names(table), names(more))] <- rep(NA, nrow(more))
  new_cohort(rbind(table, more[names(table)]))
}

# A store's name; where folders below hold two of one name, with their folders.
folder_ids <- function(inside) {
  ids <- store_ids(inside)
  twice <- ids %in% ids[duplicated(ids)]
  ids[twice] <- sub("\\.zarr$", "", inside[twice])
  ids
}

# Stores below a folder, without looking into them: a store's own folders are many.
stores_below <- function(folder, inside = "") {
  names <- list.files(file.path(folder, inside), no.. = TRUE)
  names <- if (nzchar(inside)) file.path(inside, names) else names
  store <- is_store_path(names)
  others <- names[!store]
  others <- others[dir.exists(file.path(folder, others))]
  sort(c(names[store], unlist(lapply(others, stores_below, folder = folder))), method = "radix")
}

cohort_from_table <- function(table, folder, name) {
  check_table(table, "store", name)
  store <- path.expand(as.character(table$store))
  relative <- !is.na(store) & !grepl("^(/|[A-Za-z]:[/\\\\]|\\\\\\\\)", store)
  store[relative] <- file.path(folder, store[relative])
  table$store <- store
  if (is.null(table[["id"]])) table$id <- store_ids(store)
  new_cohort(table)
}

check_table <- function(table, column, name) {
  if (!is.data.frame(table) || nrow(table) == 0L) {
    abort_beatbybeat("bad_argument", "`", name, "` must be a data frame or a .csv file with at ",
                     "least one row, not ", describe_value(table), ".")
  }
  if (!column %in% names(table)) {
    abort_beatbybeat("bad_argument", "`", name, "` must have the column `", column, "`; it has ",
                     paste0("`", names(table), "`", collapse = ", "), ".")
  }
}

read_cohort_csv <- function(path, name) {
  check_string(path, name)
  if (!file.exists(path)) {
    abort_beatbybeat("bad_argument", "`", name, "`: there is no file ", path, ".")
  }
  table <- tryCatch(utils::read.csv(path, colClasses = "character"),
    error = function(e) {
      abort_beatbybeat("bad_argument", "`", name, "`: ", path, " is no table with a heading: ",
                       conditionMessage(e), ".")
    }
  )
  # Names stay text, also where they look like numbers.
  others <- !names(table) %in% c("id", "store", "subject", "subject_key")
  table[others] <- lapply(table[others], function(column) {
    utils::type.convert(column, na.strings = c("NA", ""), as.is = TRUE)
  })
  table
}

new_cohort <- function(table) {
  twice <- anyDuplicated(table$id)
  if (twice > 0L) {
    abort_beatbybeat("bad_argument", "`x` has two rows with the id ", table$id[twice], ": give ",
                     "each clip an `id` of its own.")
  }
  table <- table[c("id", "store", setdiff(names(table), c("id", "store")))]
  row.names(table) <- NULL
  structure(table, class = c("beatbybeat_cohort", "data.frame"))
}

#' @export
`[.beatbybeat_cohort` <- function(x, ...) {
  plain_where_partial(NextMethod(), "beatbybeat_cohort", c("id", "store"))
}

#' @export
print.beatbybeat_cohort <- function(x, ...) {
  cat("<beatbybeat_cohort> ", count_of(nrow(x), "clip"), sep = "")
  lost <- sum(is.na(x$store))
  if (lost > 0L) cat(", ", lost, " without a store", sep = "")
  more <- setdiff(names(x), c("id", "store"))
  cat("\n", if (length(more) > 0L) {
    paste0("  beside them: ", paste(more, collapse = ", "), "\n")
  }, "  analyse_cohort() finds beats and EF in each\n", sep = "")
  invisible(x)
}

# A table of some of the columns is a data frame and no cohort any more.
plain_where_partial <- function(x, class, needed) {
  if (inherits(x, class) && !all(needed %in% names(x))) {
    class(x) <- setdiff(class(x), class)
  }
  x
}
