# Ways to break a store.

flip_bit <- function(file, byte = NULL, bit = 3L) {
  bytes <- readBin(file, "raw", file.size(file))
  at <- if (is.null(byte)) length(bytes) %/% 2L else byte
  bytes[at] <- xor(bytes[at], as.raw(bitwShiftL(1L, bit)))
  writeBin(bytes, file)
}

truncate_file <- function(file, keep = file.size(file) %/% 2L) {
  writeBin(readBin(file, "raw", keep), file)
}

# The folder of conformance stores beside the source tree, or NULL (a package tested from its
# tarball elsewhere).
conformance_folder <- function(verdict) {
  folder <- normalizePath(getwd())
  while (dirname(folder) != folder) {
    found <- file.path(folder, "shared_data_spec", "conformance", verdict)
    if (dir.exists(found)) {
      return(found)
    }
    folder <- dirname(folder)
  }
  NULL
}

small_store <- function(..., frames = 12L) {
  path <- file.path(tempfile("store-"), "clip.zarr")
  write_test_store(path, time_s = (seq_len(frames) - 1) / 30, area_px = rep(300, frames),
                   long_axis_px = rep(25, frames), chunk_frames = 5L, ...)
  path
}

# The package's own source folder, or NULL.
source_folder_of_package <- function() {
  folder <- normalizePath(getwd())
  while (dirname(folder) != folder) {
    for (place in file.path(folder, c(".", "r"))) {
      if (file.exists(file.path(place, "_pkgdown.yml"))) {
        return(place)
      }
    }
    folder <- dirname(folder)
  }
  NULL
}
