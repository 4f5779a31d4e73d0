# Opens a segmentation store, and reads its masks and images a few frames at a time.

#' Read a segmentation store
#'
#' Opens a store that the Python package `medseg` has written. Opening verifies the manifest, all
#' metadata and all curves, each against its MD5, and checks them against the specification; it
#' does not touch masks or images, which [read_mask()] and [read_image()] verify when they are
#' first read. What is missing, short, altered or against the specification is an error, never a
#' filled-in value.
#'
#' @param path Path of a store, a folder named `<clip>.zarr`.
#' @return An object of class `beatbybeat_segmentation`: a list with
#'   * `path`, `version`, `attributes` (the root attributes as a list), `object_names`;
#'   * `frame_time_s` (frame), seconds;
#'   * `status` (object, frame): 0 measured, 1 no object, 2 not decoded, 3 touches the sector's
#'     edge, 4 low confidence;
#'   * `area_px`, `long_axis_px`, `confidence` (object, frame) and `disk_diameter_px`
#'     (object, frame, disk; disk 1 at the apex), in column pixels; `NA` where not measured;
#'   * `area_cm2`, `long_axis_cm`, `disk_diameter_cm`: the same in cm, or `NULL` where the clip
#'     has no calibration.
#'
#'   `as.data.frame()` gives one row for each object and frame.
#' @section Errors:
#' `beatbybeat_store_not_found`, `beatbybeat_store_incomplete` (no manifest),
#' `beatbybeat_store_damaged`, `beatbybeat_store_version_unsupported` and
#' `beatbybeat_store_invalid`, all of class `beatbybeat_error`. Each message names the store, the
#' file or array, the broken rule and the cure.
#' @seealso [validate_segmentation()], [detect_beats()]
#' @examples
#' store <- example_store()
#' segmentation <- read_segmentation(store)
#' segmentation
#' head(as.data.frame(segmentation))
#' @export
read_segmentation <- function(path) {
  check_string(path, "path")
  path <- path.expand(path)
  if (grepl("^[a-z0-9+.-]+://", path)) {
    abort_beatbybeat("bad_argument", "`path` is a URL (", path,
                     "), but stores are read from local folders; download it first.")
  }
  store <- inspect_store(path, everything = FALSE)
  if (length(store$findings) > 0L) {
    abort_finding(path, store$findings[[1]])
  }
  new_segmentation(store)
}

new_segmentation <- function(store) {
  curves <- lapply(store$curves, function(values) {
    values[is.nan(values)] <- NA
    values
  })
  names(curves)[names(curves) == "frame_time"] <- "frame_time_s"
  pictures <- intersect(picture_arrays, known_arrays_in(store$documents))
  fields <- list(
    path = store$path,
    version = store$version,
    attributes = store$root,
    object_names = as.character(unlist(store$root[["object_names"]]))
  )
  internal <- list(
    files = store$files,
    pictures = lapply(stats::setNames(nm = pictures), function(name) {
      store$documents[[paste0(name, "/.zarray")]]
    })
  )
  structure(c(fields, curves, internal), class = "beatbybeat_segmentation")
}

check_segmentation <- function(segmentation) {
  check_class(segmentation, "beatbybeat_segmentation", "segmentation",
              "open a store with read_segmentation()")
}

object_index <- function(segmentation, object) {
  check_choice(object, segmentation$object_names, "object")
  match(object, segmentation$object_names)
}

#' Read masks or grey frames of a segmentation
#'
#' Reads only the chunks that hold the wanted frames, verifies each against the manifest, and puts
#' the frames in R's order: `mask[1, i, j]` is row `i` (down) and column `j` (right) of the first
#' wanted frame, as the clip is shown.
#'
#' @param segmentation What [read_segmentation()] returned.
#' @param frames Frame numbers, from 1.
#' @param object Name of the object.
#' @return `read_mask()`: a logical array (frame, y, x); `NA` all over a frame that was not decoded
#'   (status 2), because its empty mask says nothing. `read_image()`: an integer array
#'   (frame, y, x), 0 to 255, zero outside the ultrasound sector; `NULL` where the store holds no
#'   image (`segmentation$attributes$image_reason` says why).
#' @section Errors:
#' As [read_segmentation()]; a missing, short or altered chunk is `beatbybeat_store_damaged`.
#' @examples
#' store <- example_store()
#' segmentation <- read_segmentation(store)
#' mask <- read_mask(segmentation, c(1, 5))
#' apply(mask, 1, sum)
#' dim(read_image(segmentation, 1))
#' @export
read_mask <- function(segmentation, frames, object = "left_ventricle") {
  check_segmentation(segmentation)
  frames <- check_frames(frames, length(segmentation$frame_time_s))
  at <- object_index(segmentation, object)
  pixels <- read_picture_frames(segmentation, "mask", frames, at)
  if (any(pixels > as.raw(1L))) {
    abort_finding(segmentation$path, list(
      code = "D5", where = "mask", message = "holds a value other than 0 and 1"
    ))
  }
  mask <- pixels == as.raw(1L)
  mask[, segmentation$status[at, frames] == 2L] <- NA
  picture_array(mask, segmentation$pictures$mask)
}

#' @rdname read_mask
#' @export
read_image <- function(segmentation, frames) {
  check_segmentation(segmentation)
  frames <- check_frames(frames, length(segmentation$frame_time_s))
  if (is.null(segmentation$pictures$image)) {
    return(NULL)
  }
  pixels <- read_picture_frames(segmentation, "image", frames, NULL)
  values <- array(as.integer(pixels), dim(pixels))
  picture_array(values, segmentation$pictures$image)
}

# Raw (pixel, frame) of the wanted frames, from verified chunks.
read_picture_frames <- function(segmentation, name, frames, object) {
  meta <- segmentation$pictures[[name]]
  lengths <- picture_lengths(meta)
  keys <- vapply(frames, picture_key, character(1), meta = meta, object = object)
  pixels <- matrix(as.raw(0L), lengths$x * lengths$y, length(frames))
  for (key in unique(keys)) {
    chunk <- read_verified_chunk(segmentation, name, meta, key)
    here <- keys == key
    within <- (frames[here] - 1L) %% lengths$chunk_frames + 1L
    pixels[, here] <- chunk[, within]
  }
  pixels
}

read_verified_chunk <- function(segmentation, name, meta, key) {
  file <- paste0(name, "/", key)
  findings <- check_listed_files(segmentation$path, segmentation$files, file)
  if (length(findings) > 0L) {
    abort_finding(segmentation$path, findings[[1]])
  }
  chunk <- read_picture_chunk(segmentation$path, name, meta, key)
  if (is.character(chunk)) {
    abort_finding(segmentation$path, list(code = "D1", where = file, message = chunk))
  }
  chunk
}

# (x and y, frame) -> (frame, y, x)
picture_array <- function(values, meta) {
  lengths <- picture_lengths(meta)
  aperm(array(values, c(lengths$x, lengths$y, ncol(values))), c(3L, 2L, 1L))
}

#' @export
as.data.frame.beatbybeat_segmentation <- function(x, row.names = NULL, # nolint: object_name_linter.
                                                  optional = FALSE, ...) {
  objects <- length(x$object_names)
  frames <- length(x$frame_time_s)
  table <- data.frame(
    object = rep(x$object_names, frames),
    frame = rep(seq_len(frames), each = objects),
    time_s = rep(x$frame_time_s, each = objects)
  )
  per_frame <- c("status", "area_px", "long_axis_px", "area_cm2", "long_axis_cm", "confidence")
  for (name in intersect(per_frame, names(x))) {
    table[[name]] <- as.vector(x[[name]])
  }
  if (!is.null(row.names)) {
    row.names(table) <- row.names
  }
  table
}

is_measurable <- function(segmentation, object) {
  isTRUE(segmentation$attributes[["quality"]][[object]][["measurable"]])
}

reasons_of <- function(segmentation, object) {
  reasons <- segmentation$attributes[["quality"]][[object]][["reasons"]]
  data.frame(
    code = vapply(reasons, function(r) r[["code"]], character(1)),
    message = vapply(reasons, function(r) r[["message"]], character(1))
  )
}

#' @export
print.beatbybeat_segmentation <- function(x, ...) {
  root <- x$attributes
  source <- root[["source"]]
  rate <- root[["frame_rate_hz"]]
  span_s <- diff(range(x$frame_time_s))
  cat("<beatbybeat_segmentation> ", basename(x$path), "\n", sep = "")
  cat("  frames:      ", length(x$frame_time_s), " of ", source[["width"]], " x ",
      source[["height"]], " pixels",
      if (!is.null(rate)) sprintf(", %.1f Hz, %.2f s", rate, span_s), "\n", sep = "")
  cat("  view:        ", root[["view"]],
      if (!is.null(root[["view_source"]])) paste0(" (", root[["view_source"]], ")"), "\n", sep = "")
  spacing <- unlist(root[["spacing_cm"]])
  cat("  calibration: ", if (is.null(spacing)) {
    paste0("none (", root[["spacing_reason"]], ")")
  } else {
    sprintf("%.4f x %.4f cm a pixel (row, column)", spacing[1], spacing[2])
  }, "\n", sep = "")
  for (object in x$object_names) {
    status <- x$status[match(object, x$object_names), ]
    cat("  ", object, ": ", sum(status %in% c(0L, 3L)), " frames measured", sep = "")
    if (!is_measurable(x, object)) {
      cat("; not measurable: ", paste(reasons_of(x, object)$message, collapse = "; "), sep = "")
    }
    cat("\n")
  }
  cat("  model:       ", root[["model"]][["name"]], " (", root[["model"]][["intended_use"]], ")\n",
      sep = "")
  invisible(x)
}

#' A small store to try things on
#'
#' Unpacks a store of a drawn ventricle (30 frames per second, 2.6 s, calibrated, apical
#' four-chamber view) into the session's temporary folder.
#'
#' @return Path of the store.
#' @examples
#' read_segmentation(example_store())
#' @export
example_store <- function() {
  folder <- file.path(tempdir(), "beatbybeat-example")
  path <- file.path(folder, "simulated.zarr")
  if (!file.exists(file.path(path, manifest_name))) {
    archive <- system.file("extdata", "simulated.zarr.tar", package = "beatbybeat", mustWork = TRUE)
    utils::untar(archive, exdir = folder, tar = "internal")
  }
  path
}
