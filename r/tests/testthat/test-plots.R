drawn <- function(code) {
  file <- tempfile(fileext = ".png")
  on.exit(unlink(file))
  grDevices::png(file, 400, 300)
  tryCatch(force(code), finally = grDevices::dev.off())
  file.size(file)
}

test_that("every kind of clip can be plotted, and the plot returns its beats", {
  skip_if_not(capabilities("png"))
  beats <- beats_of(1, calibrated = TRUE)
  expect_gt(drawn(expect_identical(plot(beats), beats)), 1000)
  expect_gt(drawn(plot(beats, highlight = 1)), 1000)
  expect_gt(drawn(plot(beats_of(1, view = "PSAX"))), 1000)
  expect_gt(drawn(plot(beats_of(1, gap_s = 0.5))), 1000)
  expect_gt(drawn(plot(detect_beats(data.frame(time_s = 0, area = 1, long_axis = 1)))), 1000)
  lost <- data.frame(time_s = 1:9 / 30, area = NA, long_axis = NA, status = 2L)
  expect_gt(drawn(plot(detect_beats(lost))), 1000)
})

test_that("plotting leaves the graphics settings as they were", {
  skip_if_not(capabilities("png"))
  grDevices::png(tempfile(fileext = ".png"))
  before <- graphics::par("mar", "las")
  plot(beats_of(1))
  after <- graphics::par("mar", "las")
  grDevices::dev.off()
  expect_identical(after, before)
})

test_that("outlines lie on the mask's border, in pixels from the top left", {
  mask <- matrix(FALSE, 20, 30)
  mask[5:14, 8:27] <- TRUE
  outline <- mask_outlines(mask)
  expect_length(outline, 1)
  expect_equal(range(outline[[1]]$x), c(7, 27), tolerance = 0.05)
  expect_equal(range(outline[[1]]$y), c(4, 14), tolerance = 0.05)
})

test_that("an outline at the frame's edge is closed, an empty mask has none", {
  mask <- matrix(FALSE, 10, 10)
  mask[1:4, 1:4] <- TRUE
  expect_length(mask_outlines(mask), 1)
  expect_identical(mask_outlines(matrix(FALSE, 4, 4)), list())
  expect_identical(mask_outlines(matrix(NA, 4, 4)), list())
})
