# Facts of geometry, known from outside the code.

disks_of <- function(radius_at, long_axis) {
  height <- (seq_len(20) - 0.5) / 20 * long_axis
  2 * radius_at(height)
}

test_that("a sphere of radius 2 cm holds 4/3 pi r^3", {
  expected <- 4 / 3 * pi * 8
  expect_equal(volume_area_length(pi * 4, 4), expected)
  disks <- disks_of(function(h) sqrt(4 - (h - 2)^2), 4)
  expect_equal(volume_disks(disks, 4), expected, tolerance = 2e-3)
})

test_that("a prolate ellipsoid of 8 by 5 cm holds pi/6 L D^2", {
  expected <- pi / 6 * 8 * 5^2
  expect_equal(volume_area_length(pi / 4 * 8 * 5, 8), expected)
  disks <- disks_of(function(h) 2.5 * sqrt(1 - ((h - 4) / 4)^2), 8)
  expect_equal(volume_disks(disks, 8), expected, tolerance = 2e-3)
})

test_that("disks measure a cylinder and a cone, which area and length cannot", {
  expect_equal(volume_disks(rep(4, 20), 9), pi * 4 * 9)
  cone <- disks_of(function(h) 2 * h / 9, 9)
  expect_equal(volume_disks(cone, 9), pi * 4 * 9 / 3, tolerance = 2e-3)
})

test_that("biplane disks take the product of the planes and the longer axis", {
  a <- rep(4, 20)
  b <- rep(6, 20)
  expect_equal(volume_biplane_disks(a, b, 8, 9), pi / 4 * 9 * 24)
  expect_equal(volume_biplane_disks(a, a, 9, 9), volume_disks(a, 9))
})

test_that("rows of a matrix are volumes", {
  both <- rbind(rep(4, 20), rep(2, 20))
  expect_equal(volume_disks(both, c(9, 9)), c(pi * 36, pi * 9))
})

test_that("a volume scales with the cube of the unit of length", {
  expect_equal(volume_area_length(30 * 100, 8 * 10), 1000 * volume_area_length(30, 8))
})

test_that("area-length is the 0.85 A^2 / L of the textbooks", {
  expect_equal(volume_area_length(30, 8), 0.85 * 30^2 / 8, tolerance = 2e-3)
})

test_that("EF and fractional area change follow their definitions", {
  expect_equal(ejection_fraction(120, 48), 60)
  expect_equal(fractional_area_change(40, 25), 37.5)
})

test_that("what is missing or impossible gives NA, never zero or infinity", {
  expect_identical(volume_area_length(c(NA, 0, 30), c(8, 8, 0)), c(NA_real_, NA, NA))
  expect_identical(volume_disks(c(NA, rep(4, 19)), 9), NA_real_)
  expect_identical(ejection_fraction(0, 0), NA_real_)
})

test_that("text is refused by name", {
  refused <- function(code, said) {
    expect_error(code, said, class = "beatbybeat_bad_argument")
  }
  refused(volume_area_length("30", 8), "`area` must be numbers")
  refused(ejection_fraction(1:2, 1), "`esv` must have length 2")
})
