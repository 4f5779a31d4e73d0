# Says which arrays a segmentation store of version 1 holds, and in which files.

manifest_name <- "manifest.json"

store_schema <- "medseg-segmentation"

disk_count <- 20L

mebibyte <- 1024^2

max_chunk_bytes <- 4 * mebibyte

max_image_bytes <- 64 * mebibyte

array_layout <- function(axes, dtype, units, presence = "always") {
  list(axes = axes, dtype = dtype, units = units, presence = presence)
}

store_arrays <- local({
  per_frame <- c("object", "frame")
  per_disk <- c("object", "frame", "disk")
  list(
    frame_time = array_layout("frame", "<f8", "s"),
    mask = array_layout(c("object", "frame", "y", "x"), "|u1", "1"),
    status = array_layout(per_frame, "|u1", "1"),
    area_px = array_layout(per_frame, "<f4", "px2"),
    long_axis_px = array_layout(per_frame, "<f4", "px"),
    disk_diameter_px = array_layout(per_disk, "<f4", "px"),
    confidence = array_layout(per_frame, "<f4", "1"),
    area_cm2 = array_layout(per_frame, "<f4", "cm2", "calibrated"),
    long_axis_cm = array_layout(per_frame, "<f4", "cm", "calibrated"),
    disk_diameter_cm = array_layout(per_disk, "<f4", "cm", "calibrated"),
    image = array_layout(c("frame", "y", "x"), "|u1", "1", "optional")
  )
})

picture_arrays <- c("mask", "image")

curve_arrays <- setdiff(names(store_arrays), picture_arrays)

calibrated_arrays <- c("area_cm2", "long_axis_cm", "disk_diameter_cm")

axis_limits <- list(
  object = c(1, 16), frame = c(1, 1e6), y = c(1, 16384), x = c(1, 16384),
  disk = c(disk_count, disk_count)
)

item_bytes <- c("<f8" = 8L, "<f4" = 4L, "|u1" = 1L)

document_names <- c(".zgroup", ".zattrs", ".zarray", ".zmetadata")

is_document <- function(files) basename(files) %in% document_names

folder_of <- function(files) sub("/[^/]*$", "", files)

is_in_folder <- function(files) grepl("/", files, fixed = TRUE)

# A chunk's decoded length in bytes, as a double: it may exceed R's integers.
chunk_bytes <- function(meta) prod(unlist(meta$chunks)) * item_bytes[[meta$dtype]]

# The number of chunks along each axis.
chunk_grid <- function(meta) ceiling(unlist(meta$shape) / unlist(meta$chunks))

# Every chunk's key in C order: the last axis runs fastest.
chunk_keys <- function(meta) {
  grid <- rev(chunk_grid(meta))
  index <- expand.grid(lapply(grid, function(n) seq_len(n) - 1L))
  do.call(paste, c(rev(unname(as.list(index))), sep = "."))
}
