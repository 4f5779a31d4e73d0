# Makes the page of a clip: one HTML file that holds everything it shows.

report_html <- function(beats, title, patient = NULL) {
  s <- summary(beats)
  study <- study_measures(beats, patient$bsa_m2)
  shown <- shown_beat(beats, s)
  page_html(title, c(
    header_html(title, clip_facts(beats)),
    patient_html(patient),
    headline_html(s, study, patient),
    notices_html(s$warnings),
    curve_html(beats, shown),
    frames_html(beats, shown),
    table_html(beats),
    quality_html(beats, study),
    provenance_html(beats),
    footer_html(clip_footer)
  ))
}

page_html <- function(title, body) {
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

clip_facts <- function(beats) {
  root <- beats$segmentation$attributes
  rate <- root[["frame_rate_hz"]]
  span_s <- diff(range(beats$frames$time_s))
  count <- nrow(beats$frames)
  c(
    view_names[[beats$view]], count_of(count, "frame"),
    if (count > 1L) sprintf("%.2f s", span_s),
    if (!is.null(rate)) sprintf("%.0f frames per second", rate),
    if (beats$calibrated) "calibrated" else "not calibrated",
    if (!is.null(beats$edits)) "edited by a reader"
  )
}

view_names <- list(
  A4C = "apical four-chamber view", A2C = "apical two-chamber view",
  PLAX = "parasternal long-axis view", PSAX = "parasternal short-axis view",
  unknown = "view not known"
)

header_html <- function(title, facts, kicker = "Left ventricle, beat by beat") {
  c(
    "<header>",
    element("p", kicker, class = "kicker"),
    element("h1", escape_html(title)),
    element("p", escape_html(paste(facts, collapse = " \u00b7 ")), class = "facts"),
    element("p", "For research. Not for clinical use.", class = "stamp"),
    "</header>"
  )
}

# Only what the caller gave.
patient_html <- function(patient) {
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
  if (length(facts) > 0L) {
    c("<section class=\"patient\">",
      element("p", element("b", "Patient"), " ", escape_html(paste(facts, collapse = " \u00b7 "))),
      "</section>")
  }
}

# Where the EF lies in the published ranges (with a sex) and in which class; with the sources.
interpretation_html <- function(ef_percent, sex) {
  said <- interpret_ef(ef_percent, sex)
  said <- said[!is.na(said$label), ]
  if (nrow(said) > 0L) {
    c("<ul class=\"reading\">",
      paste0("<li>", c(range = "EF is ", heart_failure_class = "EF class: ")[said$what],
             escape_html(said$label), " <small>(", escape_html(said$source), ")</small></li>"),
      "</ul>")
  }
}

headline_html <- function(s, study, patient) {
  if (!s$measurable) {
    return(c("<section class=\"headline\">", "<div class=\"main-number\">",
             element("p", "Ejection fraction", class = "label"),
             element("p", "Not measurable", class = "value words"), "</div>",
             element("ul", reasons_items(s$reasons), class = "reasons"), "</section>"))
  }
  percent <- if (s$area_only) s$fac_percent else s$ef_percent
  complete <- identical(s$ef_source, "complete beats")
  from <- if (is.na(percent)) {
    "no beat could be measured"
  } else if (!complete) {
    "from an incomplete beat"
  } else if (!is.na(s$ef_low) && !s$area_only) {
    interval_text(s$ef_low, s$ef_high, count_of(s$n_included, "complete beat"))
  } else {
    paste("from", count_of(s$n_included, "complete beat"))
  }
  c(
    "<section class=\"headline\">",
    main_number_html(if (s$area_only) "Fractional area change" else "Ejection fraction", percent,
                     from, tentative = !complete),
    "<dl class=\"side-numbers\">", side_numbers(s, study), "</dl>", "</section>",
    if (complete && !s$area_only) interpretation_html(percent, patient$sex)
  )
}

interval_text <- function(low, high, over) {
  sprintf("95&#8239;%% interval %s to %s, from %s", number(low), number(high), over)
}

main_number_html <- function(name, percent, from, tentative = FALSE) {
  value <- if (is.na(percent)) {
    element("p", "Not given", class = "value words")
  } else {
    element("p", number(percent), "<small>&#8239;%</small>",
            class = if (tentative) "value tentative" else "value")
  }
  c("<div class=\"main-number\">", element("p", name, class = "label"), value,
    element("p", from, class = "from"), "</div>")
}

reasons_items <- function(reasons) {
  paste0("<li>", escape_html(reasons$message), " <code>", escape_html(reasons$code),
         "</code></li>", collapse = "")
}

side_numbers <- function(s, study) {
  of <- function(measure, digits = 0L) number(study$mean[study$measure == measure], digits)
  unlist(list(
    side_number("EDV", of("edv_ml"), "mL", of("edv_index_ml_m2"), "mL/m\u00b2"),
    side_number("ESV", of("esv_ml"), "mL", of("esv_index_ml_m2"), "mL/m\u00b2"),
    side_number("Stroke volume", of("sv_ml"), "mL", of("sv_index_ml_m2"), "mL/m\u00b2"),
    side_number("Cardiac output", of("cardiac_output_l_min", 1L), "L/min",
                of("cardiac_index_l_min_m2", 1L), "L/min/m\u00b2"),
    side_number("Heart rate", of("heart_rate_bpm"), "bpm"),
    side_number("Rhythm", if (is.na(s$rhythm)) NA else s$rhythm, ""),
    if (!s$area_only) {
      list(
        side_number("SD over beats", number(s$ef_sd, 1L), "points"),
        if (isTRUE(s$n_included < s$n_complete)) {
          side_number("EF, all beats", number(s$ef_all_beats_percent), "%")
        },
        if (identical(s$rhythm, "irregular")) {
          side_number(paste0("EF, ", count_of(s$n_index_beats, "index beat")),
                      number(s$ef_index_beat_percent), "%")
        }
      )
    }
  ))
}

# A number under its name, and after it the same by body surface; nothing where it is not known.
side_number <- function(label, value, unit, indexed = "\u2013", indexed_unit = "") {
  if (is.na(value) || value == "\u2013") {
    return(NULL)
  }
  paste0("<div><dt>", label, "</dt><dd>", value,
         if (nzchar(unit)) paste0(" <small>", unit, "</small>"),
         if (indexed != "\u2013") {
           paste0("<br><small>", indexed, " ", indexed_unit, "</small>")
         }, "</dd></div>")
}

notices_html <- function(warnings) {
  weights <- warnings$code == "research_weights"
  if (length(weights) == 0L) {
    return(NULL)
  }
  item <- function(messages, class) {
    paste0("<li class=\"", class, "\">", escape_html(messages), "</li>", recycle0 = TRUE)
  }
  c(
    "<section class=\"notices\">", element("h2", "To bear in mind"), "<ul>",
    item(warnings$message[!weights], "warning"), item(warnings$message[weights], "weights"),
    "</ul>", "</section>"
  )
}

curve_html <- function(beats, shown) {
  if (!any(beats$frames$usable)) {
    return(NULL)
  }
  any_complete <- any(beats$table$complete)
  picture <- png_data_uri(1800L, 420L, function() plot(beats, highlight = shown, xlab = ""))
  strip <- if (length(beats$es_to_es_s) > 0L) {
    png_data_uri(1800L, 140L, function() plot(beats, what = "cycles", xlab = ""))
  }
  c(
    "<section class=\"curve\">",
    picture_html(picture, "Curve of the ventricle over time, with ED and ES of every beat"),
    if (!is.null(strip)) {
      picture_html(strip, "Length of every cycle, from one end-systole to the next")
    },
    element("p", "Dots: single frames. Line: what sizes are read from.", if (any_complete) {
      paste0(" Shaded: complete beats, with their ",
             if (beats$area_only) "fractional area change." else "EF.")
    }, if (!is.null(shown)) " Ringed: the frames below.", if (!is.null(strip)) {
      " Below: cycles from each end-systole to the next, and their median; open: premature."
    }, class = "caption"),
    "</section>"
  )
}

clip_footer <- paste(
  "The interval is a t interval over complete beats: it tells how beats of this clip vary, not how",
  "far the outline, the view or the plane may be off."
)

footer_html <- function(text) {
  element("footer", text, " A preliminary report made by software, for research. Not for clinical ",
          "use, and never final before a physician has confirmed it.")
}
