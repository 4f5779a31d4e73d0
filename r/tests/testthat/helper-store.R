# Writes small segmentation stores for the tests. The package itself never writes a store.

write_json_file <- function(x, path) {
  json <- jsonlite::toJSON(x, auto_unbox = TRUE, null = "null", digits = NA, pretty = TRUE)
  writeLines(json, path)
}

# C order: the last axis runs fastest.
c_order <- function(values) {
  if (is.null(dim(values))) values else as.vector(aperm(values, rev(seq_along(dim(values)))))
}

encode_values <- function(values, dtype) {
  values <- c_order(values)
  switch(dtype,
    "|u1" = as.raw(values),
    "<f4" = writeBin(ifelse(is.na(values), NaN, as.double(values)), raw(), size = 4,
                     endian = "little"),
    "<f8" = writeBin(as.double(values), raw(), size = 8, endian = "little")
  )
}

write_gzip <- function(bytes, file) {
  connection <- gzfile(file, "wb", compression = 5)
  on.exit(close(connection))
  writeBin(bytes, connection)
}

write_array <- function(store, name, values, axes, dtype, units, chunk_frames = NULL) {
  folder <- file.path(store, name)
  dir.create(folder)
  shape <- if (is.null(dim(values))) length(values) else dim(values)
  chunks <- shape
  frame_axis <- match("frame", axes)
  if (!is.null(chunk_frames)) {
    chunks[frame_axis] <- chunk_frames
    if (axes[1] == "object") chunks[1] <- 1L
  }
  meta <- list(
    zarr_format = 2L, shape = as.list(as.integer(shape)), chunks = as.list(as.integer(chunks)),
    dtype = dtype, compressor = list(id = "gzip", level = 5L),
    fill_value = if (dtype != "|u1") "NaN", order = "C", filters = NULL, dimension_separator = "."
  )
  write_json_file(meta, file.path(folder, ".zarray"))
  write_json_file(
    list("_ARRAY_DIMENSIONS" = as.list(axes), units = units, long_name = paste("test", name)),
    file.path(folder, ".zattrs")
  )
  if (is.null(chunk_frames)) {
    write_gzip(encode_values(values, dtype), file.path(folder, paste(0 * shape, collapse = ".")))
    return(invisible())
  }
  # axes are (object, frame, y, x) or (frame, y, x)
  if (axes[1] != "object") values <- array(values, c(1L, shape))
  for (object in seq_len(dim(values)[1])) {
    for (k in seq_len(ceiling(dim(values)[2] / chunk_frames)) - 1L) {
      frames <- k * chunk_frames + seq_len(chunk_frames)
      block <- array(0L, c(chunk_frames, dim(values)[3:4]))
      here <- frames[frames <= dim(values)[2]]
      block[seq_along(here), , ] <- values[object, here, , ]
      key <- paste(c(if (axes[1] == "object") object - 1L, k, 0, 0), collapse = ".")
      write_gzip(encode_values(block, dtype), file.path(folder, key))
    }
  }
}

# Makes `.zmetadata` and `manifest.json` again from what lies in the folder.
seal_store <- function(store, version = "1.0", consolidate = TRUE) {
  files <- list.files(store, all.files = TRUE, recursive = TRUE, no.. = TRUE)
  documents <- sort(setdiff(files[basename(files) %in% c(".zgroup", ".zattrs", ".zarray")], ""))
  if (consolidate) {
    metadata <- lapply(stats::setNames(nm = documents), function(f) {
      jsonlite::parse_json(paste(readLines(file.path(store, f)), collapse = "\n"))
    })
    write_json_file(list(zarr_consolidated_format = 1L, metadata = metadata),
                    file.path(store, ".zmetadata"))
  }
  files <- list.files(store, all.files = TRUE, recursive = TRUE, no.. = TRUE)
  files <- sort(setdiff(files, "manifest.json"))
  entries <- lapply(stats::setNames(nm = files), function(f) {
    full <- file.path(store, f)
    list(bytes = file.size(full), md5 = unname(tools::md5sum(full)))
  })
  write_json_file(
    list(schema = "medseg-segmentation", schema_version = version, files = entries),
    file.path(store, "manifest.json")
  )
  invisible(store)
}

root_attributes <- function(frame_count, height, width, time_s, spacing_cm = NULL, ...) {
  root <- list(
    schema = "medseg-segmentation", schema_version = "1.0",
    object_names = list("left_ventricle"), view = "A4C", view_source = "given",
    spacing_cm = if (!is.null(spacing_cm)) as.list(spacing_cm),
    spacing_reason = if (is.null(spacing_cm)) "the clip has no calibration",
    pixel_aspect = if (is.null(spacing_cm)) 1 else spacing_cm[1] / spacing_cm[2],
    frame_rate_hz = if (frame_count > 1) 1 / stats::median(diff(time_s)),
    frame_time_source = "given", image_reason = NULL,
    source = list(kind = "array", sha256 = strrep("ab", 32), frame_count = frame_count,
                  height = height, width = width),
    subject_key = NULL,
    model = list(name = "drawn ellipses", weights_sha256 = NULL, training_data = "none: drawn",
                 licence = "MIT", intended_use = "Tests only. Not for clinical use."),
    software = list(name = "beatbybeat tests", version = "0.1.0"),
    created = "2026-11-21T09:00:00Z",
    quality = list(left_ventricle = list(measurable = TRUE, reasons = list())),
    warnings = list()
  )
  changes <- list(...)
  root[names(changes)] <- changes
  root
}

# A half-ellipsoid's long section, apex up: area and long axis in column pixels give its shape.
draw_ventricle <- function(area_px, long_axis_px, height, width, pixel_aspect = 1) {
  half_width <- 2 * area_px / (pi * long_axis_px)
  top <- 0.12 * height * pixel_aspect
  y <- (row(matrix(0, height, width)) - 0.5) * pixel_aspect - top
  x <- col(matrix(0, height, width)) - width / 2 - 0.5
  centre <- long_axis_px / 2
  (((y - centre) / centre)^2 + (x / half_width)^2) <= 1
}

# A drawn frame with grey blood, wall and a sector whose corners are black.
draw_echo <- function(mask, seed) {
  set.seed(seed)
  height <- nrow(mask)
  width <- ncol(mask)
  y <- row(mask) / height
  x <- (col(mask) - width / 2) / width
  sector <- abs(x) <= 0.08 + 0.62 * y & sqrt(x^2 + y^2) <= 0.99
  speckle <- matrix(stats::rexp(length(mask)), height)
  grey <- ifelse(mask, 12, 95) * speckle^0.6
  smooth <- (grey + rbind(grey[-1, ], grey[height, ]) + cbind(grey[, -1], grey[, width])) / 3
  ifelse(sector, pmin(255, round(smooth)), 0L)
}

# A whole store from per-frame areas and long axes (column pixels). `status` 1 and 2 frames are
# empty. Areas are those of the drawn masks, as the specification demands.
write_test_store <- function(path, time_s, area_px, long_axis_px, status = NULL, height = 40L,
                             width = 44L, spacing_cm = NULL, with_image = TRUE, chunk_frames = 7L,
                             masks = NULL, confidence = NULL, attributes = list(),
                             version = "1.0", mask_fun = draw_ventricle) {
  frames <- length(time_s)
  chunk_frames <- min(chunk_frames, frames)
  status <- if (is.null(status)) integer(frames) else as.integer(status)
  aspect <- if (is.null(spacing_cm)) 1 else spacing_cm[1] / spacing_cm[2]
  if (is.null(masks)) {
    masks <- array(FALSE, c(frames, height, width))
    for (k in which(!status %in% c(1L, 2L))) {
      masks[k, , ] <- mask_fun(area_px[k], long_axis_px[k], height, width, aspect)
    }
  }
  empty <- status %in% c(1L, 2L)
  area <- apply(masks, 1, sum) * aspect
  area[status == 2L] <- NaN
  length_px <- ifelse(empty, NaN, long_axis_px)
  slab <- (seq_len(20) - 0.5) / 20
  widest <- 4 * area / (pi * length_px)
  disks <- outer(widest, 2 * sqrt(slab * (1 - slab)))
  confidence <- if (is.null(confidence)) rep(0.9, frames) else confidence
  confidence[status == 2L] <- NaN
  as_row <- function(v) matrix(v, 1L)
  dir.create(path, recursive = TRUE)
  write_json_file(list(zarr_format = 2L), file.path(path, ".zgroup"))
  root <- do.call(root_attributes, c(list(frames, height, width, time_s, spacing_cm), attributes))
  if (!with_image) root["image_reason"] <- list("left out in this test")
  root$schema_version <- version
  write_json_file(root, file.path(path, ".zattrs"))
  add <- function(...) write_array(path, ...)
  per_frame <- c("object", "frame")
  per_disk <- c(per_frame, "disk")
  add("frame_time", time_s, "frame", "<f8", "s")
  add("mask", array(masks * 1L, c(1L, dim(masks))), c(per_frame, "y", "x"), "|u1", "1",
      chunk_frames)
  add("status", as_row(status), per_frame, "|u1", "1")
  add("area_px", as_row(area), per_frame, "<f4", "px2")
  add("long_axis_px", as_row(length_px), per_frame, "<f4", "px")
  add("disk_diameter_px", array(disks, c(1L, dim(disks))), per_disk, "<f4", "px")
  add("confidence", as_row(confidence), per_frame, "<f4", "1")
  if (!is.null(spacing_cm)) {
    cm <- spacing_cm[2]
    add("area_cm2", as_row(area * cm^2), per_frame, "<f4", "cm2")
    add("long_axis_cm", as_row(length_px * cm), per_frame, "<f4", "cm")
    add("disk_diameter_cm", array(disks * cm, c(1L, dim(disks))), per_disk, "<f4", "cm")
  }
  if (with_image) {
    image <- array(0L, dim(masks))
    for (k in seq_len(frames)) image[k, , ] <- draw_echo(masks[k, , ], seed = k)
    add("image", image, c("frame", "y", "x"), "|u1", "1", chunk_frames)
  }
  seal_store(path, version)
}

# A store of a simulated beating ventricle.
write_beating_store <- function(path, seed = 1, ..., store = list()) {
  clip <- simulate_clip(seed, ...)
  frames <- clip$frames
  height <- if (is.null(store$height)) 40L else store$height
  fit <- 0.78 * height / max(frames$long_axis_px)
  arguments <- list(
    path = path, time_s = frames$time_s, area_px = frames$area_px * fit^2,
    long_axis_px = frames$long_axis_px * fit, status = frames$status
  )
  arguments[names(store)] <- store
  do.call(write_test_store, arguments)
  invisible(clip)
}

# The path of such a store in a folder of its own.
beating_store <- function(..., store = list()) {
  path <- file.path(tempfile("store-"), "clip.zarr")
  write_beating_store(path, ..., store = store)
  path
}
