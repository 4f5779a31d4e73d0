# Writes the report's table of beats, and where the numbers come from.

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
  head <- paste0("<th>", names(columns), "</th>", collapse = "")
  cells <- do.call(paste0, lapply(columns, function(column) paste0("<td>", column, "</td>")))
  class <- ifelse(table$complete, "", " class=\"incomplete\"")
  short <- if (nrow(table) <= 10L) " keep" # a short table is not broken over two pages
  c(
    paste0("<section class=\"beats", short, "\">"), element("h2", "Beats"), "<table>",
    paste0("<thead><tr>", head, "</tr></thead>"), "<tbody>",
    paste0("<tr", class, ">", cells, "</tr>"), "</tbody>", "</table>",
    element("p", "Cycle: from one ED to the next. Incomplete beats, in grey, are cut by an edge ",
            "of the clip or by a gap, and are in no mean. Confidence orders beats; it is not a ",
            "probability.", if (!beats$calibrated && !beats$area_only) {
              " Volumes are relative: the largest EDV is 1."
            }, class = "caption"),
    "</section>"
  )
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

provenance_html <- function(beats) {
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
    "Licence of the weights" = model[["licence"]],
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
      "seconds-based minima of the smoothed area; ED between them; sizes from the smoothed curve"
    },
    "Volumes" = volume,
    "Written by" = sprintf("%s %s, store version %s, %s; report by beatbybeat %s on %s",
                           root[["software"]][["name"]], root[["software"]][["version"]],
                           beats$segmentation$version, root[["created"]], package_version_text(),
                           format(Sys.time(), "%Y-%m-%d", tz = "UTC"))
  )
  rows <- Filter(Negate(is.null), rows)
  c(
    "<section class=\"provenance\">", element("h2", "Where this comes from"), "<dl>",
    paste0("<dt>", names(rows), "</dt><dd>", escape_html(unlist(rows)), "</dd>"), "</dl>",
    "</section>"
  )
}
