# Lets a reader move an end-diastole or end-systole, or leave a beat out; the original stays.

#' Edit a beat
#'
#' Moves the end-diastole (ED) or end-systole (ES) of one beat to another time, leaves a beat out of
#' the mean, or takes it in again. Sizes are read again at the new time from the curve that all
#' sizes are read from; EF, cycle, rhythm, mean and warnings follow. What was found first stays as
#' `x$original`, and everything that shows the result says that it was edited, by whom and when.
#'
#' @param x What [detect_beats()] returned, or an earlier edit of it.
#' @param beat Number of the beat in its table.
#' @param ed_s,es_s New time in seconds, inside the clip where frames are measured; or `NULL`.
#' @param exclude `TRUE` leaves the beat out of the mean, `FALSE` takes it in again; or `NULL`.
#' @param by Who edits: a name or initials, for the report.
#' @param at When; by default now.
#' @return `x` edited: its table has `edited = TRUE` for the beat, `x$edits` one row for each change
#'   (`beat`, `what`, `from`, `to`, `by`, `at`, `said`), `x$original` the beats as they were found.
#' @seealso [detect_beats()]
#' @examples
#' store <- example_store()
#' beats <- detect_beats(read_segmentation(store))
#' edited <- edit_beats(beats, 1, es_s = 0.60, by = "reader A")
#' as.data.frame(edited)[1, c("es_s", "ef_percent", "edited")]
#' as.data.frame(edited$original)[1, c("es_s", "ef_percent", "edited")]
#' @export
edit_beats <- function(x, beat, ed_s = NULL, es_s = NULL, exclude = NULL, by, at = Sys.time()) {
  check_class(x, "beatbybeat_beats", "x", "make it with detect_beats()")
  if (missing(by)) by <- NULL
  check_string(by, "by")
  if (!inherits(at, "POSIXct") || length(at) != 1L || is.na(at)) {
    abort_beatbybeat("bad_argument", "`at` must be one time such as Sys.time(), not ",
                     describe_value(at), ".")
  }
  row <- edited_row(x, beat)
  if (is.null(ed_s) && is.null(es_s) && is.null(exclude)) {
    abort_beatbybeat("bad_argument", "nothing to edit: give `ed_s`, `es_s` or `exclude`.")
  }
  if (is.null(x$original)) x$original <- x
  for (event in c("ed", "es")) {
    x <- logged_move(x, row, event, list(ed = ed_s, es = es_s)[[event]], by, at)
  }
  x <- logged_exclusion(x, row, exclude, by, at)
  x$measures$edited[row] <- TRUE
  complete_beats(x)
}

logged <- function(x, row, what, from, to, by, at, said) {
  beat <- x$measures$beat[row]
  line <- data.frame(beat = beat, what = what, from = from, to = to, by = by, at = at,
                     said = paste0("beat ", beat, said))
  x$edits <- rbind(x$edits, line)
  x
}

logged_move <- function(x, row, event, to_s, by, at) {
  if (is.null(to_s)) {
    return(x)
  }
  name <- paste0(event, "_s")
  from_s <- x$measures[[name]][row]
  x <- move_event(x, row, event, to_s)
  from <- if (is.na(from_s)) "none" else sprintf("%.2f", from_s)
  logged(x, row, name, from_s, to_s, by, at,
         sprintf(", %s from %s to %.2f s", toupper(event), from, to_s))
}

logged_exclusion <- function(x, row, exclude, by, at) {
  if (is.null(exclude)) {
    return(x)
  }
  if (!isTRUE(exclude) && !isFALSE(exclude)) {
    abort_beatbybeat("bad_argument", "`exclude` must be TRUE or FALSE, not ",
                     describe_value(exclude), ".")
  }
  before <- x$measures$excluded[row]
  x$measures$excluded[row] <- exclude
  logged(x, row, "excluded", before, exclude, by, at,
         if (exclude) " left out" else " taken in again")
}

edited_row <- function(x, beat) {
  row <- if (is.numeric(beat) && length(beat) == 1L) match(beat, x$measures$beat) else NA
  if (is.na(row)) {
    abort_beatbybeat("bad_argument", "`beat` must be the number of one of the ",
                     nrow(x$measures), " beats, not ", describe_value(beat), ".")
  }
  row
}

move_event <- function(x, row, event, to_s) {
  name <- paste0(event, "_s")
  check_numeric(to_s, name, 1L)
  frames <- x$frames[!is.na(x$frames$size_smooth), ]
  usable <- is.finite(to_s) && nrow(frames) > 1L && to_s >= frames$time_s[1] &&
    to_s <= frames$time_s[nrow(frames)]
  if (!usable) {
    abort_beatbybeat("bad_argument", "`", name, "` must lie where frames are measured, from ",
                     format(frames$time_s[1]), " to ", format(frames$time_s[nrow(frames)]),
                     " s, not ", format(to_s), ".")
  }
  check_order(x$measures, row, event, to_s)
  at <- function(curve) stats::approx(frames$time_s, curve, to_s)$y
  measures <- x$measures
  old_s <- measures[[name]][row]
  measures[[name]][row] <- to_s
  measures[[paste0("size_", event)]][row] <- at(frames$size_smooth)
  measures[[paste0("area_", event)]][row] <- at(frames$area_smooth)
  measures[[paste0(event, "_frame")]][row] <- frames$frame[which.min(abs(frames$time_s - to_s))]
  if (event == "ed") {
    # The beat before ends where this one begins.
    before <- which(abs(measures$next_ed_s - old_s) < 1e-9 & seq_along(measures$beat) == row - 1L)
    measures$next_ed_s[before] <- to_s
    moved <- c(row, before)
    whole <- moved[measures$complete[moved]]
    measures$cycle_s[whole] <- measures$next_ed_s[whole] - measures$ed_s[whole]
  }
  x$measures <- measures
  x
}

# A beat's ED stays before its ES (or after it, where it was found there), and beats do not overlap.
check_order <- function(measures, row, event, to_s) {
  m <- measures[row, ]
  es_s <- if (event == "es") to_s else m$es_s
  ed_s <- if (event == "ed") to_s else m$ed_s
  others_s <- measures$es_s[-row]
  low <- max(c(-Inf, others_s[others_s < m$es_s]))
  high <- min(c(Inf, others_s[others_s > m$es_s]))
  turned <- !is.na(m$ed_s) && (m$ed_s < m$es_s) != (ed_s < es_s)
  late <- !is.na(m$next_ed_s) && m$complete && es_s >= m$next_ed_s
  if (turned || late || to_s <= low || to_s >= high) {
    abort_beatbybeat("bad_argument", "`", event, "_s` = ", format(to_s), " would change the order ",
                     "of events: beat ", m$beat, " has ED at ", format(round(m$ed_s, 3)),
                     " s and ES at ", format(round(m$es_s, 3)), " s, and its neighbours lie ",
                     "beside it.")
  }
}
