# Writes the report's tables, and where the numbers come from.

table_html <- function(beats) {
  if (nrow(beats$table) == 0L) {
    return(NULL)
  }
  table <- beats$table
  columns <- list(
    "Beat" = number(table$beat), "ED (s)" = number(table$ed_s, 2L),
    "ES (s)" = number(table$es_s, 2L), "Cycle (s)" = number(table$cycle_s, 2L),
    "Rate (bpm)" = number(table$hr_bpm)
  )
  columns <- c(columns, size_columns(beats), list(
    "Complete" = ifelse(table$complete, "yes", "no"), "Confidence" = number(table$confidence, 2L)
  ))
  notes <- beat_notes(beats)
  if (any(nzchar(notes))) columns[["Note"]] <- notes
  class <- ifelse(table$included, "", " class=\"incomplete\"")
  short <- if (nrow(table) <= 10L) " keep" # a short table is not broken over two pages
  c(
    paste0("<section class=\"beats", short, "\">"), element("h2", "Beats"),
    table_of(columns, class),
    element("p", "Cycle: ED to next ED. In grey, and in no mean: cut by an edge or a gap, or left ",
            "out. Confidence orders beats; it is no probability.",
            if (!beats$calibrated && !beats$area_only) {
              " Volumes are relative: the largest EDV is 1."
            }, class = "caption"),
    "</section>"
  )
}

beat_notes <- function(beats) {
  measures <- beats$measures
  early <- !identical(beats$rhythm, "irregular") # there a short cycle is nothing of its own
  said <- list(
    ifelse(early & measures$premature, "premature", ""),
    ifelse(early & measures$after_premature, "after premature", ""),
    ifelse(measures$excluded, "left out by a reader", ""),
    ifelse(measures$edited & !measures$excluded, "edited", "")
  )
  vapply(seq_len(nrow(measures)), function(k) {
    each <- vapply(said, `[`, "", k)
    paste(each[nzchar(each)], collapse = ", ")
  }, "")
}

size_columns <- function(beats) {
  table <- beats$table
  measures <- beats$measures
  if (beats$area_only) {
    unit <- if (beats$calibrated) "cm\u00b2" else "px\u00b2"
    digits <- if (beats$calibrated) 1L else 0L
    sizes <- list(number(measures$area_ed, digits), number(measures$area_es, digits),
                  number(measures$fac_percent))
    return(stats::setNames(sizes, c(sprintf("ED area (%s)", unit), sprintf("ES area (%s)", unit),
                                    "FAC (%)")))
  }
  volumes <- if (beats$calibrated) {
    list("EDV (mL)" = number(table$edv_ml), "ESV (mL)" = number(table$esv_ml))
  } else {
    list("EDV (rel.)" = number(table$edv_relative, 2L),
         "ESV (rel.)" = number(table$esv_relative, 2L))
  }
  c(volumes, list("EF (%)" = number(table$ef_percent)))
}

provenance_html <- function(beats, heading = "Where this comes from") {
  root <- beats$segmentation$attributes
  model <- root[["model"]]
  source <- root[["source"]]
  spacing <- unlist(root[["spacing_cm"]])
  short <- function(hash) if (is.null(hash)) "none" else paste0(substr(hash, 1L, 12L), "\u2026")
  volume <- if (beats$area_only) {
    "none in this view: areas only"
  } else if (beats$volume_method == "disks") {
    "disks, one plane: \u03c0/4 \u00b7 L/20 \u00b7 \u03a3d\u00b2"
  } else {
    "area and length, one plane: 8A\u00b2 / (3\u03c0L)"
  }
  rows <- list(
    "Outlines by" = paste0(model[["name"]], ", weights ", short(model[["weights_sha256"]])),
    "Trained on" = model[["training_data"]],
    "Intended use" = model[["intended_use"]],
    "Licence" = model[["licence"]],
    "Source" = sprintf("%s, %d frames of %d \u00d7 %d pixels, SHA-256 %s", source[["kind"]],
                       as.integer(source[["frame_count"]]), as.integer(source[["width"]]),
                       as.integer(source[["height"]]), short(source[["sha256"]])),
    "Frame times" = root[["frame_time_source"]],
    "Calibration" = if (is.null(spacing)) {
      paste0("none: ", root[["spacing_reason"]])
    } else {
      sprintf("%.4g \u00d7 %.4g cm a pixel (row \u00d7 column)", spacing[1], spacing[2])
    },
    "View" = if (is.null(root[["view_source"]])) {
      "not known"
    } else {
      paste0(root[["view"]], " (", root[["view_source"]], ")")
    },
    "Subject key" = root[["subject_key"]],
    "Beats" = if (beats$method == "echonet") {
      "EchoNet-Dynamic's rule, for comparison only"
    } else {
      "minima of the smoothed area in seconds, ED between them"
    },
    "Volumes" = volume,
    "Software" = sprintf("%s %s on %s, store %s; report by beatbybeat %s on %s",
                           root[["software"]][["name"]], root[["software"]][["version"]],
                           substr(root[["created"]], 1L, 10L), beats$segmentation$version,
                           package_version_text(),
                           format(Sys.time(), "%Y-%m-%d", tz = "UTC"))
  )
  rows <- Filter(Negate(is.null), rows)
  c(
    "<section class=\"provenance columns\">", element("h2", heading), definitions(rows),
    "</section>"
  )
}

# A list of names and what is said of them.
definitions <- function(rows) {
  c("<dl>", paste0("<div><dt>", names(rows), "</dt><dd>", escape_html(unlist(rows)),
                   "</dd></div>"), "</dl>")
}

# A table from columns of text.
table_of <- function(columns, row_class = "") {
  head <- paste0("<th>", names(columns), "</th>", collapse = "")
  cells <- do.call(paste0, lapply(columns, function(column) paste0("<td>", column, "</td>")))
  c(
    "<table>", paste0("<thead><tr>", head, "</tr></thead>"), "<tbody>",
    paste0("<tr", row_class, ">", cells, "</tr>"), "</tbody>", "</table>"
  )
}
