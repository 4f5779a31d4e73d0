# Reads the chunks of a Zarr 2 folder strictly: gzip, little-endian, C order; never a fill value.
#
# A missing, short or altered chunk is an error here, where other readers hand back zeros. The
# lengths are checked before anything is allocated: deflate cannot expand more than 1032 times.

max_deflate_ratio <- 1032

# The decoded bytes of one chunk, or a text that says why they cannot be had.
read_chunk_bytes <- function(file, byte_count) {
  size <- file.size(file)
  if (is.na(size)) {
    return("is missing")
  }
  if (byte_count > max_deflate_ratio * size) {
    return(sprintf("has %.0f bytes, which cannot hold %.0f", size, byte_count))
  }
  compressed <- readBin(file, "raw", size)
  if (size < 18 || !identical(compressed[1:2], as.raw(c(0x1f, 0x8b)))) {
    return("is not gzip")
  }
  stated <- sum(as.integer(utils::tail(compressed, 4L)) * 256^(0:3))
  if (stated != byte_count %% 2^32) {
    return(sprintf("says it holds %.0f bytes, expected %.0f", stated, byte_count))
  }
  decode_gzip_file(file, byte_count)
}

# gzfile() warns where the CRC-32 is wrong; memDecompress() can hang on damaged bytes.
decode_gzip_file <- function(file, byte_count) {
  connection <- gzfile(file, "rb")
  on.exit(close(connection))
  bytes <- tryCatch(
    readBin(connection, "raw", byte_count + 1),
    warning = function(w) conditionMessage(w),
    error = function(e) conditionMessage(e)
  )
  if (is.character(bytes)) {
    return(paste0("cannot be decoded (", bytes, ")"))
  }
  if (length(bytes) != byte_count) {
    return(sprintf("decodes to %d bytes, expected %.0f", length(bytes), byte_count))
  }
  bytes
}

decode_values <- function(bytes, dtype) {
  count <- length(bytes) / item_bytes[[dtype]]
  switch(dtype,
    "|u1" = as.integer(bytes),
    "<f4" = readBin(bytes, "double", count, size = 4L, endian = "little"),
    "<f8" = readBin(bytes, "double", count, size = 8L, endian = "little")
  )
}

# C order has the last axis fastest, R the first.
from_c_order <- function(values, shape) {
  if (length(shape) == 1L) {
    return(values)
  }
  aperm(array(values, rev(shape)), rev(seq_along(shape)))
}

# A curve is one chunk. Returns an array with the store's axes, or a text that says what is wrong.
read_curve <- function(path, name, meta) {
  file <- file.path(path, name, chunk_keys(meta))
  bytes <- read_chunk_bytes(file, chunk_bytes(meta))
  if (is.character(bytes)) {
    return(bytes)
  }
  from_c_order(decode_values(bytes, meta$dtype), unlist(meta$shape))
}

# One chunk of a picture array, as raw (pixel, frame): x fastest, then y; the frames after the
# array's end, which pad its last chunk, are cut off.
read_picture_chunk <- function(path, name, meta, key) {
  bytes <- read_chunk_bytes(file.path(path, name, key), chunk_bytes(meta))
  if (is.character(bytes)) {
    return(bytes)
  }
  lengths <- picture_lengths(meta)
  index <- as.integer(strsplit(key, ".", fixed = TRUE)[[1]])
  first <- index[length(index) - 2L] * lengths$chunk_frames
  here <- min(lengths$chunk_frames, lengths$frames - first)
  dim(bytes) <- c(lengths$y * lengths$x, lengths$chunk_frames)
  bytes[, seq_len(here), drop = FALSE]
}

picture_lengths <- function(meta) {
  shape <- rev(unlist(meta$shape))
  list(
    x = shape[1], y = shape[2], frames = shape[3],
    chunk_frames = rev(unlist(meta$chunks))[3]
  )
}

# The key of the chunk that holds `frame` (from 1) of `object` (from 1; NULL for the image).
picture_key <- function(meta, frame, object) {
  at <- (frame - 1L) %/% picture_lengths(meta)$chunk_frames
  paste(c(if (!is.null(object)) object - 1L, at, 0L, 0L), collapse = ".")
}
