# Carries the uncertainty of the outlines to EF by simulation, apart from beat-to-beat variation.

#' What the outlines' uncertainty does to EF
#'
#' Draws errors of the outlines' areas, measures every beat's EF again with each draw, and gives the
#' spread of the mean EF that results. It is another uncertainty than the variation from beat to
#' beat, which [summary.beatbybeat_beats()] gives: more beats make that one smaller, and leave
#' errors that all frames share.
#'
#' The relative error of the area in frame \eqn{i} is
#' \eqn{\sigma_i (\sqrt{\rho}\, c + \sqrt{1 - \rho}\, e_i)}, where
#' \eqn{\sigma_i} comes from the store's confidence, \eqn{c} is one draw for the whole clip and
#' \eqn{e} is an autoregressive process that forgets within `memory_s`. A volume has twice the
#' relative error of its area. Times of ED and ES are kept.
#'
#' How confidence and error of a model go together is a matter of measurement. The default takes a
#' relative error of \eqn{1 - confidence}, as if confidence were the share of the area that is
#' right; it is an assumption and no calibration. Give your own `relative_sd` where you have
#' measured it.
#'
#' @param x What [detect_beats()] returned; with the confidence of each frame.
#' @param relative_sd Function of confidence that gives the relative standard deviation of the area.
#' @param shared Share \eqn{\rho} of the error's variance that the whole clip has in common.
#' @param memory_s Seconds after which an error has fallen to 1/e.
#' @param simulations Number of draws.
#' @param seed Seed; the session's own random state stays as it was.
#' @param level Level of the interval.
#' @return A named vector: `ef_percent` (as measured), `segmentation_sd`, `segmentation_low`,
#'   `segmentation_high` (points of EF; `NA` where no beat or no confidence is there),
#'   `beat_to_beat_sd`.
#' @examples
#' beats <- detect_beats(read_segmentation(example_store()))
#' segmentation_uncertainty(beats, simulations = 200)
#' @export
segmentation_uncertainty <- function(x, relative_sd = function(confidence) 1 - confidence,
                                     shared = 0.5, memory_s = 0.1, simulations = 1000,
                                     seed = 1, level = 0.95) {
  check_class(x, "beatbybeat_beats", "x", "make it with detect_beats()")
  check_level(level)
  check_resamples(simulations, seed, "simulations")
  check_positive(memory_s, "memory_s")
  check_numeric(shared, "shared", 1L)
  check_range(shared, "shared", 0, 1, "parts of 1")
  used <- beats_in_summary(x)
  measures <- x$measures[used, ]
  ef <- measures$ef_percent
  frames <- x$frames[x$frames$usable, ]
  sd <- relative_sd(frames$confidence)
  check_numeric(sd, "relative_sd(confidence)", nrow(frames))
  out <- c(ef_percent = if (length(ef) > 0L) mean(ef) else NA_real_, segmentation_sd = NA_real_,
           segmentation_low = NA_real_, segmentation_high = NA_real_,
           beat_to_beat_sd = if (length(ef) > 1L) stats::sd(ef) else NA_real_)
  if (length(ef) == 0L || anyNA(ef) || anyNA(sd)) {
    return(out)
  }
  errors <- with_seed(seed, draw_errors(frames$time_s, sd, shared, memory_s, simulations))
  # (event, simulation): relative errors of the volumes around each event
  at <- function(at_s) {
    vapply(seq_len(simulations), function(i) {
      (1 + local_parabola(frames$time_s, errors[, i], at_s, 0.03))^2
    }, at_s)
  }
  edv <- measures$size_ed * matrix(at(measures$ed_s), length(ef))
  esv <- measures$size_es * matrix(at(measures$es_s), length(ef))
  drawn <- colMeans(100 * (edv - esv) / edv)
  out[2:4] <- c(stats::sd(drawn),
                stats::quantile(drawn, 0.5 + c(-1, 1) * level / 2, names = FALSE))
  out
}

# Relative errors of areas (frame, simulation).
draw_errors <- function(time_s, sd, shared, memory_s, simulations) {
  count <- length(time_s)
  common <- stats::rnorm(simulations)
  own <- matrix(stats::rnorm(count * simulations), count)
  keep <- exp(-diff(time_s) / memory_s)
  for (i in seq_len(count)[-1]) {
    own[i, ] <- keep[i - 1L] * own[i - 1L, ] + sqrt(1 - keep[i - 1L]^2) * own[i, ]
  }
  sd * (sqrt(shared) * rep(common, each = count) + sqrt(1 - shared) * own)
}
