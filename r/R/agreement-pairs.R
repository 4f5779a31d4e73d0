# Brings two series of measurements together: complete pairs, one value a patient, checked once.

check_level <- function(level) {
  if (!is.numeric(level) || length(level) != 1L || is.na(level) || level <= 0 || level >= 1) {
    abort_beatbybeat("bad_argument", "`level` must be one number between 0 and 1, such as 0.95, ",
                     "not ", describe_value(level), ".")
  }
  invisible(level)
}

check_positive <- function(x, name) {
  if (!is.numeric(x) || length(x) != 1L || !is.finite(x) || x <= 0) {
    abort_beatbybeat("bad_argument", "`", name, "` must be one number above 0, not ",
                     describe_value(x), ".")
  }
  invisible(x)
}

check_subject <- function(subject, count) {
  if (!is.null(subject) && (!is.atomic(subject) || length(subject) != count || anyNA(subject))) {
    abort_beatbybeat("bad_argument", "`subject` must name the patient of each of the ", count,
                     " rows, without NA, not ", describe_value(subject), ".")
  }
  invisible(subject)
}

# The complete pairs: a list of `measured`, `reference`, `subject` and `left_out`, their number.
complete_pairs <- function(measured, reference, subject, least = 3L) {
  check_numeric(measured, "measured")
  check_numeric(reference, "reference", length(measured))
  check_subject(subject, length(measured))
  if (is.null(subject)) subject <- seq_along(measured)
  kept <- is.finite(measured) & is.finite(reference)
  patients <- length(unique(subject[kept]))
  if (patients < least) {
    abort_beatbybeat("bad_argument", "`measured` and `reference` have both values in ", patients,
                     " patient", if (patients != 1L) "s", "; at least ", least, " are needed.")
  }
  list(
    measured = as.double(measured[kept]), reference = as.double(reference[kept]),
    subject = subject[kept], left_out = sum(!kept)
  )
}

# One pair a patient: patients with several pairs count once, with their means.
patient_pairs <- function(measured, reference, subject, least = 3L) {
  pairs <- complete_pairs(measured, reference, subject, least)
  group <- factor(pairs$subject, unique(pairs$subject))
  list(
    measured = unname(vapply(split(pairs$measured, group), mean, double(1))),
    reference = unname(vapply(split(pairs$reference, group), mean, double(1))),
    rows = length(group), left_out = pairs$left_out
  )
}

estimate_row <- function(statistic, estimate, low = NA_real_, high = NA_real_) {
  data.frame(statistic = statistic, estimate = estimate, low = low, high = high)
}

new_agreement <- function(class, estimates, n, ...) {
  structure(
    list(estimates = estimates, n = n, ...),
    class = c(paste0("beatbybeat_", class), "beatbybeat_agreement")
  )
}
