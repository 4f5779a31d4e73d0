store_path <- function() file.path(withr_tempdir(), "clip.zarr")

withr_tempdir <- function() {
  folder <- tempfile("store-")
  dir.create(folder)
  folder
}

# Four different lengths and one asymmetric mask: 3 frames of 5 rows and 7 columns.
asymmetric <- function() {
  masks <- array(FALSE, c(3L, 5L, 7L))
  masks[2, 1, 7] <- TRUE
  masks[3, 5, 2] <- TRUE
  masks[1, , ] <- TRUE
  masks
}

write_asymmetric <- function(path, ...) {
  write_test_store(path, time_s = c(0, 0.031, 0.07), area_px = c(1, 1, 1),
                   long_axis_px = c(4.5, 2.25, 2.5), masks = asymmetric(), height = 5L,
                   width = 7L, chunk_frames = 2L, ...)
}

test_that("values come back as they were written, in their order", {
  path <- store_path()
  write_asymmetric(path, spacing_cm = c(0.06, 0.04), confidence = c(0.5, 0.25, 1))
  seg <- read_segmentation(path)
  expect_identical(seg$frame_time_s, c(0, 0.031, 0.07))
  expect_equal(seg$long_axis_px[1, ], c(4.5, 2.25, 2.5))
  expect_equal(seg$long_axis_cm[1, ], c(4.5, 2.25, 2.5) * 0.04, tolerance = 1e-6)
  expect_equal(seg$area_px[1, ], c(35, 1, 1) * 1.5)
  expect_equal(seg$confidence[1, ], c(0.5, 0.25, 1))
  expect_identical(dim(seg$disk_diameter_px), c(1L, 3L, 20L))
  expect_equal(seg$disk_diameter_px[1, 2, ] / seg$disk_diameter_px[1, 3, ], rep(2.5 / 2.25, 20),
               tolerance = 1e-6)
  expect_identical(seg$object_names, "left_ventricle")
})

test_that("one pixel in a corner stays in its row and column", {
  path <- store_path()
  write_asymmetric(path)
  seg <- read_segmentation(path)
  mask <- read_mask(seg, 1:3)
  expect_identical(mask, asymmetric())
  expect_identical(which(read_mask(seg, 2)[1, , ], arr.ind = TRUE), cbind(row = 1L, col = 7L))
  image <- read_image(seg, 3)
  expect_equal(image[1, , ], draw_echo(asymmetric()[3, , ], seed = 3), ignore_attr = TRUE)
})

test_that("frames come in the order asked for, across chunks, once or twice", {
  path <- store_path()
  write_asymmetric(path)
  seg <- read_segmentation(path)
  expect_identical(read_mask(seg, c(3, 1, 3)), asymmetric()[c(3, 1, 3), , ])
})

test_that("a frame that was not decoded has NA in every pixel, not an empty mask", {
  path <- store_path()
  write_test_store(path, time_s = 0:3 / 30, area_px = rep(300, 4), long_axis_px = rep(25, 4),
                   status = c(0L, 2L, 1L, 3L))
  seg <- read_segmentation(path)
  mask <- read_mask(seg, 1:4)
  expect_true(all(is.na(mask[2, , ])))
  expect_false(any(mask[3, , ]))
  expect_identical(seg$area_px[1, 2:3], c(NA, 0))
  expect_true(is.na(seg$long_axis_px[1, 3]))
})

test_that("a second object has its own masks and measures", {
  valid <- conformance_folder("valid")
  skip_if(is.null(valid), "shared_data_spec is not beside the package")
  seg <- read_segmentation(file.path(valid, "two_objects.zarr"))
  expect_length(seg$object_names, 2)
  second <- read_mask(seg, 1, object = seg$object_names[2])
  aspect <- seg$attributes$pixel_aspect
  expect_equal(sum(second) * aspect, seg$area_px[2, 1], tolerance = 1e-5)
  expect_error(read_mask(seg, 1, object = "aorta"), "must be one of",
               class = "beatbybeat_bad_argument")
})

test_that("a store without image gives none, and the reason is there", {
  path <- store_path()
  write_asymmetric(path, with_image = FALSE)
  seg <- read_segmentation(path)
  expect_null(read_image(seg, 1))
  expect_identical(seg$attributes$image_reason, "left out in this test")
})

test_that("opening does not touch masks or images, and reading them verifies the chunk", {
  path <- store_path()
  write_asymmetric(path)
  flip_bit(file.path(path, "mask", "0.1.0.0"))
  seg <- read_segmentation(path)
  expect_identical(read_mask(seg, 1:2), asymmetric()[1:2, , ])
  expect_error(read_mask(seg, 3), "mask/0.1.0.0.*MD5", class = "beatbybeat_store_damaged")
  unlink(file.path(path, "image", "0.0.0"))
  expect_error(read_image(seg, 1), "image/0.0.0: is missing", class = "beatbybeat_store_damaged")
})

test_that("curves open in under 50 ms, whatever the mask's size", {
  small <- store_path()
  large <- store_path()
  open_ms <- function(path) {
    # Processor time of five openings: what a shared machine does beside them does not count.
    times <- replicate(4, sum(system.time(for (i in 1:5) read_segmentation(path))[1:2]))
    1000 * min(times) / 5
  }
  write_asymmetric(small)
  masks <- array(FALSE, c(40L, 400L, 400L))
  masks[, 100:300, 100:300] <- TRUE
  write_test_store(large, time_s = 0:39 / 30, area_px = rep(1, 40), long_axis_px = rep(200, 40),
                   masks = masks, height = 400L, width = 400L, chunk_frames = 20L,
                   with_image = FALSE)
  expect_lt(open_ms(large), 50)
  expect_lt(open_ms(large), open_ms(small) + 15)
})

test_that("frames outside the clip are refused", {
  path <- store_path()
  write_asymmetric(path)
  seg <- read_segmentation(path)
  expect_snapshot(error = TRUE, read_mask(seg, 0))
  expect_snapshot(error = TRUE, read_mask(seg, 4))
  expect_snapshot(error = TRUE, read_mask(seg, 1.5))
  expect_snapshot(error = TRUE, read_mask(seg, integer()))
  expect_snapshot(error = TRUE, read_mask("clip.zarr", 1))
  expect_snapshot(error = TRUE, read_segmentation(7))
  expect_snapshot(error = TRUE, read_segmentation("s3://bucket/clip.zarr"))
})

test_that("a segmentation prints itself and becomes a table of frames", {
  path <- store_path()
  write_asymmetric(path, spacing_cm = c(0.06, 0.04))
  expect_snapshot(read_segmentation(path))
  table <- as.data.frame(read_segmentation(path))
  expect_identical(nrow(table), 3L)
  expect_identical(names(table), c("object", "frame", "time_s", "status", "area_px",
                                   "long_axis_px", "area_cm2", "long_axis_cm", "confidence"))
})
