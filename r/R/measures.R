# Measures every beat beyond its volumes, and the study: means over beats with their intervals.

#' Measures of every beat
#'
#' What a beat's curves say beyond EDV, ESV and EF.
#'
#' * `sv_ml` \eqn{= EDV - ESV}; `edv_index_ml_m2`, `esv_index_ml_m2`, `sv_index_ml_m2`: divided by
#'   the body surface area.
#' * `fac_percent`: fractional area change, in every view. It is not an EF.
#' * `peak_ejection_rate_per_s` \eqn{= \max(-dV/dt) / EDV} between ED and ES,
#'   `peak_filling_rate_per_s` \eqn{= \max(dV/dt) / EDV} between ES and the next ED, in EDV per
#'   second, from a local cubic over 0.10 to 0.20 s; `time_to_peak_filling_s` from ES;
#'   `time_to_es_s` from ED; `filling_s` from ES to the next ED. Isovolumic phases (60 to 100 ms,
#'   a few frames) cannot be told from areas and are in them.
#' * `sphericity_ed` \eqn{= D / L} with \eqn{D = 4A / (\pi L)}, the short axis of the ellipse of the
#'   same area and length: 1 for a circle, about 0.5 for a normal ventricle.
#' * `long_axis_shortening_percent` \eqn{= 100 (L_{ED} - L_{ES}) / L_{ED}}.
#'
#' @param x What [detect_beats()] returned; for `study_measures()` also what [echo_study()] did.
#' @param bsa_m2 Body surface area in m², see [body_surface_area()]; or `NULL`.
#' @return `beat_measures()`: a data frame, one row a beat. `study_measures()`: one row a measure
#'   with `mean`, `sd`, `low`, `high` (t interval, 95 %) and `n` over the beats in the mean, `unit`,
#'   and `reason` where it is `NA`: `uncalibrated`, `area_only_view`, `no_beat`,
#'   `bsa_not_given`, `flicker` (no heart rate), `incomplete_beat`. Cardiac output is the mean
#'   stroke volume times the heart rate. For a study of two views the means are over its pairs of
#'   beats, with the mean of the two views' heart rates, and `reason` may be `no_complete_pair` too.
#' @references Lang RM et al. J Am Soc Echocardiogr 2015;28:1-39.
#'   \doi{10.1016/j.echo.2014.10.003}
#' @examples
#' store <- example_store()
#' beats <- detect_beats(read_segmentation(store))
#' beat_measures(beats, bsa_m2 = 1.9)
#' study_measures(beats, bsa_m2 = 1.9)
#' @export
beat_measures <- function(x, bsa_m2 = NULL) {
  check_class(x, "beatbybeat_beats", "x", "make it with detect_beats()")
  check_bsa(bsa_m2)
  table <- x$table
  measures <- x$measures
  index <- function(ml) if (is.null(bsa_m2)) rep(NA_real_, nrow(table)) else ml / bsa_m2
  axis <- function(at_s) long_axis_at(x, at_s)
  out <- data.frame(
    beat = table$beat, included = table$included, edv_ml = table$edv_ml, esv_ml = table$esv_ml,
    sv_ml = table$edv_ml - table$esv_ml, ef_percent = table$ef_percent,
    fac_percent = measures$fac_percent, edv_index_ml_m2 = index(table$edv_ml),
    esv_index_ml_m2 = index(table$esv_ml), sv_index_ml_m2 = index(table$edv_ml - table$esv_ml)
  )
  out <- cbind(out, rates_of(x))
  length_ed <- axis(measures$ed_s)
  length_es <- axis(measures$es_s)
  out$sphericity_ed <- 4 * measures$area_ed / (pi * length_ed^2)
  out$long_axis_shortening_percent <- 100 * (length_ed - length_es) / length_ed
  out
}

# The long axis around given times, as sizes are read; NA where there is none.
long_axis_at <- function(x, at_s) {
  frames <- x$frames
  known <- frames$usable & !is.na(frames$long_axis)
  out <- rep(NA_real_, length(at_s))
  if (any(known)) {
    out[!is.na(at_s)] <- local_parabola(frames$time_s[known], frames$long_axis[known],
                                        at_s[!is.na(at_s)], 0.03)
  }
  out
}

rates_of <- function(x) {
  frames <- x$frames
  one <- function(k) {
    m <- x$measures[k, ]
    none <- c(NA_real_, NA_real_, NA_real_)
    if (!m$complete || x$area_only) {
      return(none)
    }
    between <- function(from, to) {
      which(frames$time_s >= from & frames$time_s <= to & !is.na(frames$slope))
    }
    ejection <- between(m$ed_s, m$es_s)
    filling <- between(m$es_s, m$next_ed_s)
    if (length(ejection) < 3L || length(filling) < 3L) {
      return(none)
    }
    fastest <- filling[which.max(frames$slope[filling])]
    c(max(-frames$slope[ejection]) / m$size_ed, frames$slope[fastest] / m$size_ed,
      frames$time_s[fastest] - m$es_s)
  }
  rates <- vapply(seq_len(nrow(x$measures)), one, double(3))
  whole <- x$measures$complete
  data.frame(
    peak_ejection_rate_per_s = rates[1, ], peak_filling_rate_per_s = rates[2, ],
    time_to_peak_filling_s = rates[3, ],
    time_to_es_s = ifelse(whole, x$measures$es_s - x$measures$ed_s, NA_real_),
    filling_s = ifelse(whole, x$measures$next_ed_s - x$measures$es_s, NA_real_)
  )
}

measure_units <- c(
  edv_ml = "mL", esv_ml = "mL", sv_ml = "mL", cardiac_output_l_min = "L/min", ef_percent = "%",
  fac_percent = "%", heart_rate_bpm = "bpm", edv_index_ml_m2 = "mL/m2",
  esv_index_ml_m2 = "mL/m2", sv_index_ml_m2 = "mL/m2", cardiac_index_l_min_m2 = "L/min/m2",
  peak_ejection_rate_per_s = "EDV/s", peak_filling_rate_per_s = "EDV/s",
  time_to_peak_filling_s = "s", time_to_es_s = "s", filling_s = "s", sphericity_ed = "1",
  long_axis_shortening_percent = "%"
)

#' @rdname beat_measures
#' @export
study_measures <- function(x, bsa_m2 = NULL) UseMethod("study_measures")

#' @export
study_measures.default <- function(x, bsa_m2 = NULL) {
  abort_beatbybeat("bad_argument", "`x` must be beats or a study, not ", describe_value(x),
                   "; make it with detect_beats() or echo_study().")
}

#' @export
study_measures.beatbybeat_beats <- function(x, bsa_m2 = NULL) {
  each <- beat_measures(x, bsa_m2)[beats_in_summary(x), ]
  table <- measures_over(each, heart_rate(x), names(measure_units))
  table$reason <- missing_reasons(table, x, bsa_m2)
  table
}

biplane_measures <- c(
  "edv_ml", "esv_ml", "sv_ml", "cardiac_output_l_min", "ef_percent", "heart_rate_bpm",
  "edv_index_ml_m2", "esv_index_ml_m2", "sv_index_ml_m2", "cardiac_index_l_min_m2"
)

#' @export
study_measures.beatbybeat_study <- function(x, bsa_m2 = NULL) {
  check_bsa(bsa_m2)
  each <- x$table
  each$sv_ml <- each$edv_ml - each$esv_ml
  for (name in c("edv", "esv", "sv")) {
    ml <- each[[paste0(name, "_ml")]]
    each[[paste0(name, "_index_ml_m2")]] <- if (is.null(bsa_m2)) NA_real_ + ml else ml / bsa_m2
  }
  rates <- c(heart_rate(x$a4c), heart_rate(x$a2c))
  rate <- if (all(is.na(rates))) NA_real_ else mean(rates, na.rm = TRUE)
  table <- measures_over(each, rate, biplane_measures)
  reason <- rep(if (is.na(x$reason)) "no_complete_pair" else x$reason, nrow(table))
  reason[grepl("_m2$", table$measure) & is.null(bsa_m2) & is.na(x$reason)] <- "bsa_not_given"
  table$reason <- ifelse(is.na(table$mean), reason, NA_character_)
  table
}

# Means over beats (or pairs of them), one a row; `rate` in bpm is one for all.
measures_over <- function(each, rate, names) {
  values <- vapply(names, function(name) {
    mean_interval(switch(name,
      heart_rate_bpm = rate,
      cardiac_output_l_min = each$sv_ml * rate / 1000,
      cardiac_index_l_min_m2 = each$sv_index_ml_m2 * rate / 1000,
      each[[name]]
    ), limits = if (name == "ef_percent") c(0, 100) else c(-Inf, Inf))
  }, double(5))
  data.frame(measure = names, mean = values["mean", ], sd = values["sd", ],
             low = values["low", ], high = values["high", ], n = values["n", ],
             unit = unname(measure_units[names]), row.names = NULL)
}

missing_reasons <- function(table, x, bsa_m2) {
  needs_ml <- grepl("_ml|_l_min", table$measure)
  needs_rate <- grepl("_l_min|^heart_rate", table$measure)
  needs_volume <- needs_ml | table$measure == "ef_percent" | grepl("_per_s$|filling",
                                                                   table$measure)
  reason <- rep("incomplete_beat", nrow(table)) # the last that applies counts
  reason[grepl("_m2$", table$measure) & is.null(bsa_m2)] <- "bsa_not_given"
  reason[needs_rate & x$flickers] <- "flicker"
  reason[needs_ml & !x$calibrated] <- "uncalibrated"
  reason[needs_volume & x$area_only] <- "area_only_view"
  if (length(beats_in_summary(x)) == 0L) reason[] <- "no_beat"
  if (!x$measurable) reason[] <- "not_measurable"
  ifelse(is.na(table$mean), reason, NA_character_)
}
