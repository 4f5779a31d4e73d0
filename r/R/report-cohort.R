# Makes the page of a cohort: distribution of EF, quality, failures, agreement with a reference.

cohort_html <- function(results, title, agreement = NULL) {
  s <- summary(results)
  page_html(title, c(
    header_html(title, cohort_facts(results, s), "Cohort, beat by beat"),
    cohort_headline_html(s),
    distribution_html(results),
    agreement_html(agreement),
    cohort_quality_html(results, s),
    failures_html(results),
    footer_html(paste(
      "EF of each clip is the mean over its complete beats. Clips that failed are in no other",
      "number of this page."
    ))
  ))
}

cohort_facts <- function(results, s) {
  models <- unique(results$model[!is.na(results$model)])
  views <- count_codes(results$view)
  c(
    count_of(s$n, "clip"),
    if (length(views) > 0L) paste0(names(views), " ", views, collapse = ", "),
    if (length(models) > 0L) paste("outlines by", paste(models, collapse = ", ")),
    format(Sys.time(), "%Y-%m-%d", tz = "UTC"), paste("beatbybeat", package_version_text())
  )
}

cohort_headline_html <- function(s) {
  q <- s$ef_quantiles
  side <- function(label, value) side_number(label, number(value), "")
  c(
    "<section class=\"headline\">",
    main_number_html("Median ejection fraction", q[[3]], if (s$n_ef > 0L) {
      sprintf("half of the clips %s to %s&#8239;%%, nine in ten %s to %s&#8239;%%", number(q[[2]]),
              number(q[[4]]), number(q[[1]]), number(q[[5]]))
    } else {
      "no clip has an EF"
    }),
    "<dl class=\"side-numbers\">", unlist(list(
      side("Clips", s$n), side("With an EF", s$n_ef), side("of an incomplete beat", s$n_incomplete),
      side("Without an EF", s$n_no_ef), side("Not measurable", s$n_not_measurable),
      side("Failed", s$n_failed)
    )), "</dl>", "</section>"
  )
}

distribution_html <- function(results) {
  picture <- png_data_uri(1800L, 560L, function() plot(results))
  c(
    "<section class=\"curve\">", element("h2", "Distribution of EF"),
    picture_html(picture, "Histogram of the EF of all clips"),
    element("p", "Dotted: 40 and 50 %. Every clip is a tick on the axis.", class = "caption"),
    "</section>"
  )
}

agreement_html <- function(agreement) {
  if (is.null(agreement)) {
    return(NULL)
  }
  ba <- agreement$bland_altman
  limits <- png_data_uri(900L, 700L, function() {
    plot(ba, xlab = "Mean of EF and reference (%)", ylab = "EF - reference (points)")
  })
  errors <- png_data_uri(900L, 700L, function() {
    plot(agreement$errors, xlab = "Reference EF (%)", ylab = "EF (%)")
  })
  rows <- c(
    list(estimate_lines(ba), estimate_lines(agreement$errors, leave = "bias"),
         estimate_lines(agreement$ccc, only = "ccc")),
    lapply(names(agreement$auc), function(name) {
      threshold <- sub("below_", "", name)
      lines <- estimate_lines(agreement$auc[[name]])
      lines$name <- paste0(lines$name, ", EF below ", threshold, " %")
      lines
    })
  )
  rows <- do.call(rbind, rows)
  c(
    "<section class=\"agreement\">",
    element("h2", "Agreement with the reference, ", count_of(agreement$n, agreement$by)),
    "<div class=\"pair plots\">",
    picture_html(limits, "Bland-Altman plot: differences against means"),
    picture_html(errors, "EF against the reference, with the line of identity"), "</div>",
    table_of(list("Measure" = escape_html(rows$name), "Estimate" = rows$estimate,
                  "95 % interval" = rows$interval)),
    element("p", "By ", agreement$by, if (agreement$left_out > 0L) {
      paste0("; ", count_of(agreement$left_out, "clip"), " without both values left out")
    }, if (ba$repeated) {
      "; limits for repeated measurements"
    }, if (agreement$by == "clip") {
      ": patients are not known, and clips of one patient would make intervals too narrow"
    }, ".", class = "caption"),
    "</section>"
  )
}

# Rows of a table from an object of agreement: name, estimate, interval as text.
estimate_lines <- function(x, only = NULL, leave = NULL) {
  table <- as.data.frame(x)
  if (!is.null(only)) table <- table[table$statistic %in% only, ]
  table <- table[!table$statistic %in% leave, ]
  share <- table$statistic %in% c("r_squared", "r_pearson_squared", "ccc", "auc", "slope",
                                  "prevalence", "sensitivity", "specificity")
  digits <- ifelse(share, 2L, 1L)
  shown <- function(v) mapply(number, v, digits)
  data.frame(
    name = unname(agreement_names[table$statistic]), estimate = shown(table$estimate),
    interval = ifelse(is.na(table$low), "\u2013",
                      paste(shown(table$low), "to", shown(table$high)))
  )
}

cohort_quality_html <- function(results, s) {
  measured <- is.na(results$error)
  spread <- function(values, digits) {
    q <- stats::quantile(values[measured], c(0.05, 0.5, 0.95), na.rm = TRUE)
    if (anyNA(q)) {
      return(NULL)
    }
    paste0(number(q[[2]], digits), " (nine in ten ", number(q[[1]], digits), " to ",
           number(q[[3]], digits), ")")
  }
  counts <- function(x) if (length(x) > 0L) paste0(names(x), " ", x, collapse = ", ")
  rows <- Filter(Negate(is.null), list(
    "Complete beats a clip" = spread(results$n_complete, 0L),
    "Confidence of beats" = spread(results$confidence, 2L),
    "Share of frames measured" = spread(results$coverage, 2L),
    "Heart rate (bpm)" = spread(results$heart_rate_bpm, 0L),
    "SD of EF over beats" = spread(results$ef_sd, 1L),
    "Rhythm" = counts(s$rhythm), "Warnings" = counts(s$warnings),
    "Not measurable because" = counts(s$reasons)
  ))
  if (length(rows) == 0L) {
    return(NULL)
  }
  c("<section class=\"provenance columns\">", element("h2", "Quality"), definitions(rows),
    "</section>")
}

most_failures <- 40L

failures_html <- function(results) {
  failed <- results[!is.na(results$error), ]
  if (nrow(failed) == 0L) {
    return(NULL)
  }
  shown <- utils::head(failed, most_failures)
  c(
    "<section class=\"failures\">", element("h2", "Failures"),
    table_of(list(
      "Clip" = escape_html(shown$id), "Error" = escape_html(sub("beatbybeat_", "", shown$error)),
      "What was said" = escape_html(shown$error_message)
    )),
    if (nrow(failed) > most_failures) {
      element("p", "The first ", most_failures, " of ", nrow(failed), "; the .csv has all.",
              class = "caption")
    },
    "</section>"
  )
}
