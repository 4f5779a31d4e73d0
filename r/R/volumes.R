# Computes ventricular volumes and what follows from them: pure formulas on numeric vectors.

#' Volumes, ejection fraction and fractional area change
#'
#' The formulas, each vectorised, in any one unit of length: areas in cm² and lengths in cm give
#' mL; areas in px² and lengths in px give px³, of which only ratios mean something.
#'
#' * `volume_area_length()`: \eqn{V = 8 A^2 / (3 \pi L)}, single plane. Exact for a prolate
#'   ellipsoid cut along its long axis; often written \eqn{0.85 A^2 / L}.
#' * `volume_disks()`: \eqn{V = \frac{\pi}{4} \frac{L}{n} \sum d_i^2}, the modified Simpson rule
#'   with \eqn{n} disks (20 in the store) in a single plane.
#' * `volume_biplane_disks()`: \eqn{V = \frac{\pi}{4} \frac{L}{n} \sum a_i b_i} with \eqn{L} the
#'   longer of the two axes.
#' * `ejection_fraction()`: \eqn{100 (EDV - ESV) / EDV}, in percent.
#' * `fractional_area_change()`: \eqn{100 (A_{ED} - A_{ES}) / A_{ED}}, in percent. It is not an
#'   ejection fraction and is never named so.
#'
#' A missing measure gives `NA`; so does an area, length or end-diastolic volume that is not above
#' zero.
#'
#' @param area Area of the ventricle's outline.
#' @param long_axis Length from apex to the middle of the mitral plane.
#' @param diameters Diameters perpendicular to the long axis, at the middles of slabs of equal
#'   height: a matrix with one row for each volume and one column for each disk, or a vector for
#'   one volume.
#' @param diameters_4c,diameters_2c The same of the four- and two-chamber view.
#' @param long_axis_4c,long_axis_2c Their long axes.
#' @param edv,esv End-diastolic and end-systolic volume.
#' @param area_ed,area_es End-diastolic and end-systolic area.
#' @return A numeric vector.
#' @references Lang RM et al. Recommendations for cardiac chamber quantification by
#'   echocardiography in adults. J Am Soc Echocardiogr 2015;28:1-39.
#'   \doi{10.1016/j.echo.2014.10.003}
#' @examples
#' # A sphere of radius 2 cm: 4/3 pi r^3 = 33.5 mL
#' volume_area_length(area = pi * 2^2, long_axis = 4)
#' z <- seq(-1.9, 1.9, by = 0.2)
#' volume_disks(2 * sqrt(2^2 - z^2), long_axis = 4)
#' ejection_fraction(edv = 120, esv = 48)
#' @name volumes
NULL

positive_or_na <- function(x) ifelse(!is.na(x) & x > 0, x, NA_real_)

#' @rdname volumes
#' @export
volume_area_length <- function(area, long_axis) {
  check_numeric(area, "area")
  check_numeric(long_axis, "long_axis")
  8 * positive_or_na(area)^2 / (3 * pi * positive_or_na(long_axis))
}

#' @rdname volumes
#' @export
volume_disks <- function(diameters, long_axis) {
  volume_biplane_disks(diameters, diameters, long_axis, long_axis)
}

#' @rdname volumes
#' @export
volume_biplane_disks <- function(diameters_4c, diameters_2c, long_axis_4c, long_axis_2c) {
  check_numeric(diameters_4c, "diameters_4c")
  check_numeric(diameters_2c, "diameters_2c", length(diameters_4c))
  a <- rbind_rows(diameters_4c)
  b <- rbind_rows(diameters_2c)
  check_numeric(long_axis_4c, "long_axis_4c", nrow(a))
  check_numeric(long_axis_2c, "long_axis_2c", nrow(a))
  long_axis <- pmax(positive_or_na(long_axis_4c), positive_or_na(long_axis_2c))
  positive_or_na(pi / 4 * long_axis / ncol(a) * rowSums(a * b))
}

rbind_rows <- function(x) if (is.matrix(x)) x else matrix(x, nrow = 1L)

#' @rdname volumes
#' @export
ejection_fraction <- function(edv, esv) {
  check_numeric(edv, "edv")
  check_numeric(esv, "esv", length(edv))
  100 * (edv - esv) / positive_or_na(edv)
}

#' @rdname volumes
#' @export
fractional_area_change <- function(area_ed, area_es) {
  check_numeric(area_ed, "area_ed")
  check_numeric(area_es, "area_es", length(area_ed))
  100 * (area_ed - area_es) / positive_or_na(area_ed)
}
