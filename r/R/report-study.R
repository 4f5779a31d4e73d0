# Makes the page of a study: biplane volumes from a four- and a two-chamber clip.

study_html <- function(study, title, patient = NULL) {
  measures <- study_measures(study, patient$bsa_m2)
  page_html(title, c(
    header_html(title, study_facts(study), "Left ventricle, biplane"),
    patient_html(patient),
    study_headline_html(study, measures, patient),
    notices_html(once(study$warnings)),
    view_html(study$a4c, "A4C"),
    view_html(study$a2c, "A2C"),
    pairs_html(study),
    "<div class=\"pair keep apart\">",
    quality_html(study$a4c, study_measures(study$a4c), "Quality, four-chamber clip"),
    quality_html(study$a2c, study_measures(study$a2c), "Quality, two-chamber clip"),
    "</div>", "<div class=\"pair keep apart\">",
    provenance_html(study$a4c, "Where the four-chamber clip comes from"),
    provenance_html(study$a2c, "Where the two-chamber clip comes from"), "</div>",
    footer_html(paste(
      "The interval is a t interval over pairs of beats: it tells how they vary, not how far",
      "outlines, views or planes may be off."
    ))
  ))
}

# What is said of both views is said once, without the view.
once <- function(warnings) {
  bare <- sub("^A[24]C: ", "", warnings$message)
  twice <- bare %in% bare[duplicated(bare)]
  warnings$message[twice] <- bare[twice]
  warnings[!duplicated(warnings$message), ]
}

study_facts <- function(study) {
  c(
    "apical four- and two-chamber views", paste(count_of(nrow(study$table), "pair"), "of beats"),
    if (is.na(study$reason)) "calibrated",
    if (!is.null(study$a4c$edits) || !is.null(study$a2c$edits)) "edited by a reader"
  )
}

study_headline_html <- function(study, measures, patient) {
  ef <- study$ef
  percent <- ef[["mean"]]
  from <- if (is.na(percent)) {
    c(uncalibrated = "not both views are calibrated",
      no_complete_pair = "a view has no complete beat")[[study$reason]]
  } else if (is.na(ef[["low"]])) {
    "from 1 pair of beats"
  } else {
    interval_text(ef[["low"]], ef[["high"]], paste(count_of(nrow(study$table), "pair"), "of beats"))
  }
  of <- function(measure, digits = 0L) number(measures$mean[measures$measure == measure], digits)
  alone <- lapply(c(a4c = "a4c", a2c = "a2c"), function(view) summary(study[[view]])$ef_percent)
  c(
    "<section class=\"headline\">",
    main_number_html("Ejection fraction, biplane", percent, from),
    "<dl class=\"side-numbers\">", unlist(list(
      side_number("EDV", of("edv_ml"), "mL", of("edv_index_ml_m2"), "mL/m\u00b2"),
      side_number("ESV", of("esv_ml"), "mL", of("esv_index_ml_m2"), "mL/m\u00b2"),
      side_number("Stroke volume", of("sv_ml"), "mL", of("sv_index_ml_m2"), "mL/m\u00b2"),
      side_number("Cardiac output", of("cardiac_output_l_min", 1L), "L/min",
                  of("cardiac_index_l_min_m2", 1L), "L/min/m\u00b2"),
      side_number("Heart rate", of("heart_rate_bpm"), "bpm"),
      side_number("SD over pairs", number(ef[["sd"]], 1L), "points"),
      side_number("EF, A4C alone", number(alone$a4c), "%"),
      side_number("EF, A2C alone", number(alone$a2c), "%")
    )), "</dl>", "</section>",
    interpretation_html(percent, patient$sex)
  )
}

view_html <- function(beats, view) {
  s <- summary(beats)
  shown <- shown_beat(beats, s)
  curve <- png_data_uri(1800L, 380L, function() plot(beats, highlight = shown, xlab = ""))
  c(
    "<section class=\"curve view\">",
    element("h2", view, ": ", format_ef(s), " alone, ", count_of(s$n_complete, "complete beat")),
    if (any(beats$frames$usable)) {
      picture_html(curve, paste("Curve of the ventricle over time,", view))
    }, "</section>",
    frames_html(beats, shown)
  )
}

pairs_html <- function(study) {
  table <- study$table
  if (nrow(table) == 0L) {
    return(NULL)
  }
  columns <- list(
    "Pair" = number(table$pair), "Beat, A4C" = number(table$beat_a4c),
    "Beat, A2C" = number(table$beat_a2c), "EDV (mL)" = number(table$edv_ml),
    "ESV (mL)" = number(table$esv_ml), "EF (%)" = number(table$ef_percent),
    "Long axis, A4C (cm)" = number(table$long_axis_a4c_cm, 1L),
    "Long axis, A2C (cm)" = number(table$long_axis_a2c_cm, 1L),
    "Apart (%)" = number(table$length_difference_percent)
  )
  c(
    "<section class=\"beats keep\">", element("h2", "Pairs of beats"),
    table_of(columns),
    element("p", "Beats are paired in order, end-diastole with end-diastole and end-systole with ",
            "end-systole. Long axes more than ", foreshortening_percent, " % apart: the shorter ",
            "view is foreshortened.", class = "caption"),
    "</section>"
  )
}
