# Says what a reader of the beats has to know: one code and one sentence for each matter.

few_beats <- 3L

few_beats_irregular <- 5L

least_frame_rate_hz <- 20

one_warning <- function(code, ...) data.frame(code = code, message = paste0(...))

warnings_of <- function(beats) {
  said <- c(
    if (beats$measurable) measured_warnings(beats),
    store_warnings(beats)
  )
  do.call(rbind, c(list(data.frame(code = character(), message = character())), said))
}

measured_warnings <- function(beats) {
  list_of <- function(...) Filter(Negate(is.null), list(...))
  c(
    count_warnings(beats),
    list_of(
      flicker_warning(beats),
      rhythm_warning(beats),
      premature_warning(beats),
      edit_warning(beats),
      if (!beats$calibrated && !beats$area_only) {
        one_warning("uncalibrated", "No calibration: no volumes in mL. EF and relative volumes ",
                    "take pixels to be as the source says, square where it says nothing.")
      },
      if (beats$view == "unknown") {
        one_warning("view_assumed", "Apical view assumed: the view of this clip is not known.")
      },
      if (beats$area_only) {
        one_warning("area_only", "View ", beats$view, ": fractional area change only. It is not ",
                    "an ejection fraction.")
      },
      edge_warning(beats),
      gap_warning(beats),
      rate_warning(beats)
    )
  )
}

count_warnings <- function(beats) {
  complete <- sum(beats$table$included)
  value <- if (beats$area_only) beats$measures$fac_percent else beats$table$ef_percent
  name <- if (beats$area_only) "fractional area change" else "EF"
  if (complete == 0L && any(beats$table$complete)) {
    return(list(one_warning("no_beat_left", "A reader left out every complete beat.")))
  }
  if (complete == 0L) {
    incomplete <- any(!is.na(value))
    return(list(one_warning("no_complete_beat", "No complete beat in this clip. ", if (incomplete) {
      paste0("The ", name, " is from an incomplete beat.")
    } else if (nrow(beats$table) > 0L) {
      paste0("No ", name, ": an end-systole is seen, but no end-diastole beside it.")
    } else {
      paste0("No ", name, ": no end-systole was found.")
    })))
  }
  irregular <- identical(beats$rhythm, "irregular")
  wanted <- if (irregular) few_beats_irregular else few_beats
  if (complete < wanted) {
    list(one_warning("few_beats", "Only ", complete, " complete beat", if (complete > 1L) "s",
                     ": at least ", wanted, " are wanted", if (irregular) " in an irregular rhythm",
                     "."))
  }
}

flicker_warning <- function(beats) {
  if (beats$flickers) {
    one_warning("flicker", "The curve flickers from frame to frame and does not repeat itself: ",
                "beats may be false or missing. Heart rate and rhythm are not told.")
  }
}

rhythm_warning <- function(beats) {
  cycles_s <- beats$es_to_es_s
  if (identical(beats$rhythm, "irregular")) {
    one_warning("irregular_rhythm", sprintf(
      "Irregular rhythm: cycles from %.2f to %.2f s. Beats differ; their mean is over all of them.",
      min(cycles_s), max(cycles_s)
    ))
  }
}

premature_warning <- function(beats) {
  measures <- beats$measures
  at <- measures$es_s[measures$premature]
  irregular <- identical(beats$rhythm, "irregular")
  if (length(at) == 0L || (length(at) > 2L && irregular)) {
    return(NULL)
  }
  early <- (measures$premature | measures$after_premature) & measures$complete
  left_out <- any(early & !measures$included & !measures$excluded)
  one_warning("premature_beat", "Perhaps premature: the beat", if (length(at) > 1L) "s",
              " with end-systole at ", paste(sprintf("%.2f s", at), collapse = ", "),
              if (left_out) "; left out of the mean, as is the beat after each", ".")
}

edit_warning <- function(beats) {
  edits <- beats$edits
  if (!is.null(edits)) {
    one_warning("edited", "Edited: ", paste0(edits$said, ", by ", edits$by, " on ",
                                             format(edits$at, "%Y-%m-%d %H:%M", tz = "UTC"),
                                             " UTC", collapse = "; "), ".")
  }
}

edge_warning <- function(beats) {
  touching <- sum(beats$frames$status == 3L & beats$frames$usable)
  if (touching > 0L) {
    one_warning("touches_edge", touching, " of ", sum(beats$frames$usable),
                " measured frames touch the sector's edge: volumes may be too small.")
  }
}

gap_warning <- function(beats) {
  lost <- sum(!beats$frames$usable)
  if (lost > 0L) {
    one_warning("gaps", lost, " of ", nrow(beats$frames), " frames could not be measured",
                " and are left out.")
  }
}

rate_warning <- function(beats) {
  interval_s <- stats::median(diff(beats$frames$time_s))
  if (!is.na(interval_s) && 1 / interval_s < least_frame_rate_hz) {
    one_warning("low_frame_rate", sprintf(
      "%.0f frames per second are few: end-systole may fall between two frames.", 1 / interval_s
    ))
  }
}

store_warnings <- function(beats) {
  root <- beats$segmentation$attributes
  if (is.null(root)) {
    return(NULL)
  }
  model <- root[["model"]]
  # Whole sentences, whether or not the model's card has capitals and full stops.
  sentence <- function(text) {
    paste0(toupper(substr(text, 1L, 1L)), sub("[.[:space:]]*$", ".", substring(text, 2L)))
  }
  c(
    lapply(unlist(root[["warnings"]]), function(text) one_warning("store", text)),
    list(one_warning("research_weights", "Outlines by ", model[["name"]], ". Trained on: ",
                     sub("[.[:space:]]*$", ".", model[["training_data"]]), " ",
                     sentence(model[["intended_use"]])))
  )
}
