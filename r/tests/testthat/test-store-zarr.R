test_that("every flipped bit of a curve chunk is refused, even where the manifest agrees", {
  path <- small_store()
  file <- file.path(path, "area_px", "0.0")
  good <- readBin(file, "raw", file.size(file))
  meta <- read_segmentation(path)
  set.seed(1)
  for (trial in 1:60) {
    at <- sample(length(good), 1)
    if (at <= 10) next # the header's time stamp and flags change no value
    flip_bit(file, at, sample(0:7, 1))
    chunk <- read_chunk_bytes(file, 12 * 4)
    # Either refused, or the flip lay where it changes nothing.
    same <- !is.character(chunk) &&
      identical(decode_values(chunk, "<f4"), as.vector(meta$area_px))
    expect_true(is.character(chunk) || same)
    writeBin(good, file)
  }
})

test_that("a truncated chunk is refused at every length", {
  path <- small_store()
  file <- file.path(path, "area_px", "0.0")
  good <- readBin(file, "raw", file.size(file))
  for (keep in seq(0, length(good) - 1)) {
    writeBin(good[seq_len(keep)], file)
    expect_type(read_chunk_bytes(file, 12 * 4), "character")
  }
})

test_that("bytes that are not gzip are not passed through", {
  file <- tempfile()
  writeBin(as.raw(rep(1, 48)), file)
  expect_identical(read_chunk_bytes(file, 48), "is not gzip")
})

test_that("a length that the file cannot hold is refused before anything is allocated", {
  path <- small_store()
  file <- file.path(path, "mask", "0.0.0.0")
  expect_match(read_chunk_bytes(file, 1e12), "cannot hold")
})

test_that("C order becomes R's order: the last axis runs fastest on disk", {
  expect_identical(from_c_order(1:6, c(2L, 3L)), matrix(1:6, 2, byrow = TRUE))
  cube <- from_c_order(1:24, c(2L, 3L, 4L))
  expect_identical(cube[1, 1, 2], 2L)
  expect_identical(cube[1, 2, 1], 5L)
  expect_identical(cube[2, 1, 1], 13L)
})

test_that("chunk keys are counted from the last axis", {
  meta <- list(shape = list(2, 5, 3, 3), chunks = list(1, 2, 3, 3))
  expect_identical(chunk_keys(meta), paste(rep(0:1, each = 3), rep(0:2, 2), 0, 0, sep = "."))
})
