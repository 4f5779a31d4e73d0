# Validates every file, attribute and value of a segmentation store.

#' Validate a segmentation store
#'
#' Checks every file, attribute and value of a store against version 1 of its specification
#' (`shared_data_spec/SPEC.md`), masks and images included. The rules have the same ids in the
#' Python package, and both give the same verdict.
#'
#' The levels are F (files and manifest), Z (array metadata), A (root attributes) and D (data).
#' Checking stops after the first level with findings, because the next one cannot be trusted then.
#'
#' @param path Path of a store, a folder named `<clip>.zarr`.
#' @return A data frame with one row for each broken rule and the columns `code` (the rule's id),
#'   `where` (the file, array or attribute) and `message`. No rows: the store is valid.
#' @seealso [read_segmentation()]
#' @examples
#' store <- example_store()
#' validate_segmentation(store)
#' @export
validate_segmentation <- function(path) {
  check_string(path, "path")
  findings_frame(inspect_store(path.expand(path), everything = TRUE)$findings)
}
