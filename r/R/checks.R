# Checks arguments where they enter the package; inside, they are trusted.

describe_value <- function(x) {
  if (is.null(x)) {
    return("NULL")
  }
  if (is.atomic(x) && length(x) == 1L) {
    quote <- if (is.character(x)) '"' else ""
    return(paste(class(x)[1], encodeString(format(x), quote = quote)))
  }
  sprintf("%s of length %d", class(x)[1], length(x))
}

check_string <- function(x, name) {
  if (!is.character(x) || length(x) != 1L || is.na(x) || !nzchar(x)) {
    abort_beatbybeat("bad_argument", "`", name, "` must be one non-empty string, not ",
                     describe_value(x), ".")
  }
  invisible(x)
}

check_choice <- function(x, choices, name) {
  if (!is.character(x) || length(x) != 1L || !x %in% choices) {
    abort_beatbybeat("bad_argument", "`", name, "` must be one of ",
                     paste0('"', choices, '"', collapse = ", "), ", not ", describe_value(x), ".")
  }
  invisible(x)
}

check_numeric <- function(x, name, length_out = NULL) {
  if (!is.numeric(x) && !all(is.na(x))) {
    abort_beatbybeat("bad_argument", "`", name, "` must be numbers, not ", describe_value(x), ".")
  }
  if (!is.null(length_out) && length(x) != length_out) {
    abort_beatbybeat("bad_argument", "`", name, "` must have length ", length_out, ", not ",
                     length(x), ".")
  }
  invisible(x)
}

check_times <- function(x, name) {
  check_numeric(x, name)
  if (any(!is.finite(x))) {
    abort_beatbybeat("bad_argument", "`", name, "` must be finite seconds; element ",
                     which(!is.finite(x))[1], " is ", format(x[!is.finite(x)][1]), ".")
  }
  if (any(diff(x) <= 0)) {
    at <- which(diff(x) <= 0)[1] + 1L
    abort_beatbybeat("bad_argument", "`", name, "` must increase; element ", at,
                     " is not later than the one before it.")
  }
  invisible(x)
}

check_class <- function(x, class, name, cure) {
  if (!inherits(x, class)) {
    abort_beatbybeat("bad_argument", "`", name, "` must be a ", class, " object, not ",
                     describe_value(x), "; ", cure, ".")
  }
  invisible(x)
}

check_frames <- function(frames, frame_count) {
  good <- is.numeric(frames) && length(frames) > 0L && all(is.finite(frames)) &&
    all(frames == round(frames)) && all(frames >= 1 & frames <= frame_count)
  if (!good) {
    abort_beatbybeat("bad_argument", "`frames` must be whole numbers from 1 to ", frame_count,
                     ", not ", describe_value(frames), ".")
  }
  invisible(as.integer(frames))
}
