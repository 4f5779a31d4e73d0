# What several beats say about each other: spread within patients, and how many beats are needed.

#' Spread within patients, and the number of beats needed
#'
#' `within_patient_sd()`: \eqn{s_w = \sqrt{\sum_i (n_i - 1) s_i^2 / \sum_i (n_i - 1)}} over patients
#' with at least two beats, the coefficient of variation \eqn{100 \sqrt{\overline{s_i^2 / m_i^2}}},
#' and the repeatability \eqn{2.77 s_w}, below which the difference of two single beats of a patient
#' lies in 95 %.
#'
#' `beats_needed()`: the smallest \eqn{n} with \eqn{z s_w / \sqrt n} at most the wanted half-width
#' of the interval of the mean, \eqn{n \ge (1.96 s_w / h)^2}. It takes the spread as known; with
#' the few beats of one clip the t interval is wider.
#'
#' @param values Numbers, one each a beat.
#' @param subject Patient of each beat.
#' @param sd Standard deviation between beats of one patient.
#' @param half_width Wanted half-width of the interval of the mean, in the unit of `sd`.
#' @param level Confidence level.
#' @return `within_patient_sd()`: a named vector `sd`, `cv_percent`, `repeatability`, `patients`,
#'   `beats`. `beats_needed()`: a whole number, at least 1.
#' @references Bland JM, Altman DG. Measurement error. BMJ 1996;313:744.
#'   \doi{10.1136/bmj.313.7059.744}
#' @examples
#' within_patient_sd(c(55, 58, 61, 40, 44), c("a", "a", "a", "b", "b"))
#' beats_needed(sd = 4, half_width = 3)
#' @export
within_patient_sd <- function(values, subject) {
  check_numeric(values, "values")
  check_subject(subject, length(values))
  if (is.null(subject)) {
    abort_beatbybeat("bad_argument", "`subject` must name the patient of each beat, not NULL.")
  }
  kept <- is.finite(values)
  groups <- split(values[kept], as.character(subject[kept]))
  groups <- groups[lengths(groups) >= 2L]
  if (length(groups) == 0L) {
    abort_beatbybeat("bad_argument", "`subject` has no patient with two beats: nothing can be ",
                     "said about the spread within patients.")
  }
  variance <- vapply(groups, stats::var, double(1))
  middle <- vapply(groups, mean, double(1))
  within <- sqrt(sum((lengths(groups) - 1) * variance) / sum(lengths(groups) - 1))
  c(sd = within, cv_percent = 100 * sqrt(mean(variance / middle^2)),
    repeatability = sqrt(2) * stats::qnorm(0.975) * within, patients = length(groups),
    beats = sum(lengths(groups)))
}

#' @rdname within_patient_sd
#' @export
beats_needed <- function(sd, half_width, level = 0.95) {
  check_positive(sd, "sd")
  check_positive(half_width, "half_width")
  check_level(level)
  as.integer(max(1, ceiling((stats::qnorm(0.5 + level / 2) * sd / half_width)^2 - 1e-9)))
}
