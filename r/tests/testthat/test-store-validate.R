codes_of <- function(path) unique(validate_segmentation(path)$code)

test_that("what the test writer writes is valid", {
  expect_identical(codes_of(small_store()), character())
  expect_identical(codes_of(small_store(spacing_cm = c(0.06, 0.04))), character())
  expect_identical(codes_of(small_store(status = rep(0:4, length.out = 12))), character())
})

test_that("findings are a data frame of code, where and message", {
  expect_identical(names(validate_segmentation(small_store())), c("code", "where", "message"))
})

test_that("a chunk removed, truncated or with one bit flipped is refused", {
  for (name in c("mask/0.1.0.0", "image/0.0.0", "area_px/0.0")) {
    path <- small_store()
    unlink(file.path(path, name))
    expect_identical(validate_segmentation(path)[, 1:2], data.frame(code = "F5", where = name))
    path <- small_store()
    truncate_file(file.path(path, name))
    expect_identical(codes_of(path), "F6")
    path <- small_store()
    flip_bit(file.path(path, name))
    expect_identical(codes_of(path), "F7")
  }
})

test_that("damage that the manifest agrees with is found in the data", {
  path <- small_store()
  truncate_file(file.path(path, "mask", "0.1.0.0"), 20)
  seal_store(path)
  expect_identical(codes_of(path), "D1")
})

test_that("a curve that cannot be decoded is a finding, not a crash", {
  path <- small_store()
  writeBin(as.raw(1:30), file.path(path, "status", "0.0"))
  seal_store(path)
  expect_identical(codes_of(path), "D1")
})

test_that("nothing there, no manifest and a file in its place are not found or incomplete", {
  expect_error(read_segmentation("no/such.zarr"), "there is no store",
               class = "beatbybeat_store_not_found")
  path <- small_store()
  unlink(file.path(path, "manifest.json"))
  expect_error(read_segmentation(path), "manifest.json", class = "beatbybeat_store_incomplete")
  file <- tempfile(fileext = ".zarr")
  writeLines("text", file)
  expect_error(read_segmentation(file), class = "beatbybeat_store_not_found")
})

test_that("an unknown major version is refused and a later minor one is read", {
  path <- small_store(version = "2.0")
  expect_error(read_segmentation(path), "version 2.0 .* not supported",
               class = "beatbybeat_store_version_unsupported")
  later <- small_store(version = "1.7", attributes = list(colour = "new in 1.7"))
  expect_identical(codes_of(later), character())
  expect_s3_class(read_segmentation(later), "beatbybeat_segmentation")
})

test_that("a curve changed behind the manifest's back is refused on opening", {
  path <- small_store()
  flip_bit(file.path(path, "frame_time", "0"))
  expect_error(read_segmentation(path), "frame_time/0: has another MD5.*\\[F7\\]",
               class = "beatbybeat_store_damaged")
})

test_that("times that do not increase are refused on opening", {
  path <- file.path(tempfile("store-"), "clip.zarr")
  write_test_store(path, time_s = c(0, 0.1, 0.1, 0.2), area_px = rep(300, 4),
                   long_axis_px = rep(25, 4))
  expect_error(read_segmentation(path), "does not increase", class = "beatbybeat_store_invalid")
})

test_that("errors are one line that names the store, the place and the cure", {
  path <- small_store()
  unlink(file.path(path, "confidence", "0.0"))
  message <- tryCatch(read_segmentation(path), error = conditionMessage)
  expect_false(grepl("\n", message))
  expect_match(message, "clip.zarr: confidence/0.0: is missing \\[F5\\]; copy it again")
})

test_that("a manifest may not point outside the store", {
  path <- small_store()
  manifest <- jsonlite::read_json(file.path(path, "manifest.json"))
  manifest$files[["../outside"]] <- list(bytes = 1L, md5 = strrep("a", 32))
  write_json_file(manifest, file.path(path, "manifest.json"))
  expect_identical(codes_of(path), "F4")
})
