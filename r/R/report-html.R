# Writes the report of a clip: one HTML page that holds everything it shows.

#' Write the report of a clip
#'
#' The ending of the file name says what is written:
#' * `.html`: one self-contained page, which also prints on A4 and Letter: EF with its interval, the
#'   curve with its beats, the frames of end-diastole and end-systole with the outline, one row for
#'   each beat, everything a reader must be warned of, and where the numbers come from.
#' * `.pdf`: that page, printed by Chromium or WeasyPrint, whichever is found on the `PATH`.
#' * `.csv`: one row a beat; and beside it `NAME-study.csv`, one row for the study.
#' * `.json`: FHIR R4, a DiagnosticReport that holds its Observations, `preliminary`, with LOINC and
#'   UCUM codes, and a `dataAbsentReason` where a number is not to be had.
#'
#' The frames are those of the complete beat whose EF is nearest to the mean; without a complete
#' beat, those of the beat that the EF is from.
#'
#' @param beats What [detect_beats()] made from a segmentation.
#' @param path Path of the file to write; a file of that name is replaced.
#' @param title Heading of the page; by default the store's name.
#' @param patient What is known of the patient, made with [patient()]; or `NULL`.
#' @return `path`, invisibly.
#' @section Errors:
#' `beatbybeat_not_written` where the file cannot be written, `beatbybeat_no_pdf_printer` where
#' nothing is there to print a PDF, and the errors of [read_mask()] where masks or images of the
#' store are damaged; then nothing is written.
#' @examples
#' store <- example_store()
#' page <- tempfile(fileext = ".html")
#' report(detect_beats(read_segmentation(store)), page)
#' @export
report <- function(beats, path, title = NULL, patient = NULL) {
  check_class(beats, "beatbybeat_beats", "beats", "make it with detect_beats()")
  check_string(path, "path")
  if (is.null(beats$segmentation)) {
    abort_beatbybeat("bad_argument", "`beats` come from a data frame, and a report needs frames; ",
                     "make them from a store with read_segmentation().")
  }
  title <- if (is.null(title)) sub("\\.zarr/?$", "", basename(beats$segmentation$path)) else title
  check_string(title, "title")
  if (!is.null(patient)) {
    check_class(patient, "beatbybeat_patient", "patient", "make it with patient()")
  }
  switch(format_of(path),
    html = write_text(report_html(beats, title, patient), path),
    pdf = {
      page <- tempfile(fileext = ".html")
      on.exit(unlink(page))
      write_text(report_html(beats, title, patient), page)
      print_pdf(page, path)
    },
    csv = write_csv_report(beats, path, patient),
    json = write_text(jsonlite::toJSON(report_fhir(beats, patient), auto_unbox = TRUE,
                                       digits = NA, pretty = TRUE), path)
  )
  invisible(path)
}

report_html <- function(beats, title, patient = NULL) {
  s <- summary(beats)
  shown <- shown_beat(beats, s)
  body <- c(
    header_html(beats, title),
    patient_html(patient, s),
    headline_html(beats, s),
    notices_html(s),
    curve_html(beats, shown),
    frames_html(beats, shown),
    table_html(beats),
    provenance_html(beats),
    footer_html(beats)
  )
  c(
    "<!doctype html>", "<html lang=\"en\">", "<head>", "<meta charset=\"utf-8\">",
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
    paste0("<title>", escape_html(title), " \u2013 beat by beat</title>"),
    paste0("<style>", paste(style_lines(), collapse = "\n"), "</style>"),
    "</head>", "<body>", "<main>", body, "</main>", "</body>", "</html>"
  )
}

style_lines <- function() {
  readLines(system.file("report.css", package = "beatbybeat", mustWork = TRUE), encoding = "UTF-8")
}

escape_html <- function(text) {
  text <- enc2utf8(as.character(text))
  marks <- c("&" = "&amp;", "<" = "&lt;", ">" = "&gt;", "\"" = "&quot;", "'" = "&#39;")
  for (mark in names(marks)) {
    text <- gsub(mark, marks[[mark]], text, fixed = TRUE)
  }
  text
}

element <- function(tag, ..., class = NULL) {
  paste0("<", tag, if (!is.null(class)) paste0(" class=\"", class, "\""), ">",
         paste0(..., collapse = ""), "</", tag, ">")
}

number <- function(x, digits = 0L) {
  ifelse(is.na(x), "\u2013", formatC(x, format = "f", digits = digits))
}

# The beat whose frames are drawn: NULL where no beat has both an ED and an ES.
shown_beat <- function(beats, s) {
  used <- beats_in_summary(beats)
  if (length(used) == 0L) {
    return(NULL)
  }
  value <- if (beats$area_only) beats$measures$fac_percent else beats$table$ef_percent
  centre <- if (beats$area_only) s$fac_percent else s$ef_percent
  used[which.min(abs(value[used] - centre))]
}

header_html <- function(beats, title) {
  root <- beats$segmentation$attributes
  view <- switch(beats$view,
    A4C = "apical four-chamber view", A2C = "apical two-chamber view",
    PLAX = "parasternal long-axis view", PSAX = "parasternal short-axis view",
    "view not known"
  )
  rate <- root[["frame_rate_hz"]]
  span_s <- diff(range(beats$frames$time_s))
  count <- nrow(beats$frames)
  facts <- c(
    view, count_of(count, "frame"),
    if (count > 1L) sprintf("%.2f s", span_s),
    if (!is.null(rate)) sprintf("%.0f frames per second", rate),
    if (beats$calibrated) "calibrated" else "not calibrated"
  )
  c(
    "<header>",
    element("p", "Left ventricle, beat by beat", class = "kicker"),
    element("h1", escape_html(title)),
    element("p", escape_html(paste(facts, collapse = " \u00b7 ")), class = "facts"),
    element("p", "For research. Not for clinical use.", class = "stamp"),
    "</header>"
  )
}

# Only what the caller gave; with a sex, where EF lies in the published ranges.
patient_html <- function(patient, s) {
  if (is.null(patient)) {
    return(NULL)
  }
  facts <- c(
    patient$name, patient$id, patient$sex,
    if (!is.null(patient$age_years)) paste(format(patient$age_years), "years"),
    if (!is.null(patient$height_cm)) {
      paste0(format(patient$height_cm), " cm, ", format(patient$weight_kg), " kg")
    },
    if (!is.null(patient$bsa_m2)) {
      sprintf("body surface %.2f m\u00b2 (%s)", patient$bsa_m2, patient$bsa_source)
    }
  )
  said <- interpret_ef(s$ef_percent, patient$sex)
  said <- said[!is.na(said$label), ]
  c(
    "<section class=\"patient\">",
    if (length(facts) > 0L) {
      element("p", escape_html(paste(facts, collapse = " \u00b7 ")), class = "facts")
    },
    if (nrow(said) > 0L) {
      c("<ul>", paste0("<li>", c(range = "EF is ", heart_failure_class = "EF class: ")[said$what],
                       escape_html(said$label), " <small>(", escape_html(said$source),
                       ")</small></li>"), "</ul>")
    },
    "</section>"
  )
}

headline_html <- function(beats, s) {
  if (!s$measurable) {
    return(c("<section class=\"headline\">", "<div class=\"main-number\">",
             element("p", "Ejection fraction", class = "label"),
             element("p", "Not measurable", class = "value words"), "</div>",
             element("ul", reasons_items(s$reasons), class = "reasons"), "</section>"))
  }
  percent <- if (s$area_only) s$fac_percent else s$ef_percent
  name <- if (s$area_only) "Fractional area change" else "Ejection fraction"
  complete <- identical(s$ef_source, "complete beats")
  value <- if (is.na(percent)) {
    element("p", "Not given", class = "value words")
  } else {
    element("p", number(percent), "<small>&#8239;%</small>",
            class = if (complete) "value" else "value tentative")
  }
  from <- if (is.na(percent)) {
    "no beat could be measured"
  } else if (!complete) {
    "from an incomplete beat"
  } else if (!is.na(s$ef_low) && !s$area_only) {
    sprintf("95&#8239;%% interval %s to %s, from %s", number(s$ef_low), number(s$ef_high),
            count_of(s$n_included, "complete beat"))
  } else {
    paste("from", count_of(s$n_included, "complete beat"))
  }
  c(
    "<section class=\"headline\">", "<div class=\"main-number\">",
    element("p", name, class = "label"), value, element("p", from, class = "from"), "</div>",
    "<dl class=\"side-numbers\">", side_numbers(s), "</dl>", "</section>"
  )
}

reasons_items <- function(reasons) {
  paste0("<li>", escape_html(reasons$message), " <code>", escape_html(reasons$code),
         "</code></li>", collapse = "")
}

side_numbers <- function(s) {
  one <- function(label, value, unit) {
    if (is.na(value) || value == "\u2013") {
      return(NULL)
    }
    paste0("<div><dt>", label, "</dt><dd>", value,
           if (nzchar(unit)) paste0(" <small>", unit, "</small>"), "</dd></div>")
  }
  c(
    one("EDV", number(s$edv_ml), "mL"),
    one("ESV", number(s$esv_ml), "mL"),
    one("Stroke volume", number(s$edv_ml - s$esv_ml), "mL"),
    one("Heart rate", number(s$heart_rate_bpm), "bpm"),
    one("Rhythm", if (is.na(s$rhythm)) NA else s$rhythm, ""),
    one("EF, SD over beats", number(s$ef_sd, 1L), "points")
  )
}

notices_html <- function(s) {
  shown <- s$warnings[s$warnings$code != "research_weights", ]
  weights <- s$warnings[s$warnings$code == "research_weights", ]
  if (nrow(shown) + nrow(weights) == 0L) {
    return(NULL)
  }
  item <- function(messages, class) {
    paste0("<li class=\"", class, "\">", escape_html(messages), "</li>")
  }
  c(
    "<section class=\"notices\">", element("h2", "To bear in mind"), "<ul>",
    if (nrow(shown) > 0L) item(shown$message, "warning"),
    if (nrow(weights) > 0L) item(weights$message, "weights"), "</ul>", "</section>"
  )
}

curve_html <- function(beats, shown) {
  if (!any(beats$frames$usable)) {
    return(NULL)
  }
  any_complete <- any(beats$table$complete)
  picture <- png_data_uri(1800L, 620L, function() plot(beats, highlight = shown))
  c(
    "<section class=\"curve\">", element("h2", "The clip"),
    picture_html(picture, "Curve of the ventricle over time, with ED and ES of every beat"),
    element("p", "Dots: single frames. Line: what sizes are read from.", if (any_complete) {
      paste0(" Shaded: complete beats, with their ",
             if (beats$area_only) "fractional area change." else "EF.")
    }, if (!is.null(shown)) " Ringed: the frames below.", class = "caption"),
    "</section>"
  )
}

footer_html <- function(beats) {
  element("footer", "The interval is a t interval over complete beats: it tells how beats of this ",
          "clip vary, not how far the outline, the view or the plane may be off. ",
          "A report made by software for research. Not for clinical use.")
}
