# Draws area curves from the flow through the valves, with beats that are known.
#
# This is not the generator that the detector's parameters were chosen on (half cosines of volume,
# tests/testthat/helper-curves.R). Here a beat is: isovolumic contraction; an ejection whose flow
# peaks early; isovolumic relaxation, so that end-systole is a flat floor; an E wave, diastasis and
# an A wave, which fuse where the heart is fast; no A wave in atrial fibrillation. Durations follow
# the heart rate (ejection: 413 - 1.7 bpm ms, Weissler 1968). How much a beat fills depends on the
# time it had, and a beat after a pause contracts more.

# Share of a pulse that has passed, u = 0..1 over its duration: the integral of u (1 - u)^p.
pulse <- function(u, peak) stats::pbeta(u, 2, peak)

draw_cycles_s <- function(rhythm, rate_bpm, duration_s) {
  mean_s <- 60 / rate_bpm
  n <- ceiling(1.6 * (duration_s + 3) / mean_s) + 6L
  spread <- if (rhythm == "af") 0.20 else stats::runif(1, 0.01, 0.04)
  cycle_s <- mean_s * (1 + spread * stats::rnorm(n))
  if (rhythm == "af") cycle_s <- pmax(cycle_s, 0.36)
  if (rhythm == "sinus" || rhythm == "ectopic") { # breathing makes neighbours alike
    cycle_s <- cycle_s + 0.02 * mean_s * sin(2 * pi * cumsum(cycle_s) / 4.2)
  }
  if (rhythm == "ectopic") {
    at <- which(cumsum(cycle_s) > stats::runif(1, 0.35, 0.65) * duration_s)[1]
    early <- stats::runif(1, 0.58, 0.72)
    cycle_s[at] <- early * mean_s
    cycle_s[at + 1L] <- (2 - early) * mean_s
  }
  cycle_s
}

# One beat a row: ed_s, es_s, edv, esv (largest EDV about 1), next_edv and the phases' durations.
draw_beats <- function(rhythm, rate_bpm, duration_s, ef_percent) {
  cycle_s <- draw_cycles_s(rhythm, rate_bpm, duration_s)
  n <- length(cycle_s)
  ed_s <- cumsum(c(0, cycle_s))[seq_len(n)] - 1.5 - stats::runif(1) * cycle_s[1]
  before_s <- c(cycle_s[1], cycle_s[-n])
  ejection_s <- pmin(0.413 - 0.0017 * 60 / (0.5 * cycle_s + 0.5 * before_s), 0.52 * cycle_s)
  ivc_s <- pmin(0.045, 0.06 * cycle_s)
  ivr_s <- pmin(0.07, 0.085 * cycle_s)
  filling_s <- cycle_s - ivc_s - ejection_s - ivr_s
  # The share of a full stroke that the filling before this beat gave, and its contraction.
  before_filling_s <- c(filling_s[1], filling_s[-n])
  tau_s <- 0.35 * stats::median(filling_s)
  filled <- (1 - exp(-before_filling_s / tau_s)) / (1 - exp(-stats::median(filling_s) / tau_s))
  squeeze <- if (rhythm == "sinus") 1 else (before_s / stats::median(cycle_s))^0.15
  ef <- pmin(ef_percent / 100 * squeeze * (1 + 0.02 * stats::rnorm(n)), 0.85)
  edv <- 1 - ef_percent / 100 * (1 - pmin(filled, 1.15))
  esv <- edv * (1 - ef)
  data.frame(
    ed_s, es_s = ed_s + ivc_s + ejection_s, next_ed_s = ed_s + cycle_s, cycle_s, ivc_s, ejection_s,
    ivr_s, filling_s, edv, esv, next_edv = c(edv[-1], edv[n])
  )
}

volume_at <- function(time_s, beats, has_a_wave) {
  k <- findInterval(time_s, beats$ed_s)
  b <- beats[k, ]
  phase_s <- time_s - b$ed_s
  ejected <- pulse(pmin(pmax((phase_s - b$ivc_s) / b$ejection_s, 0), 1), 2.6)
  filling_s <- phase_s - b$ivc_s - b$ejection_s - b$ivr_s
  e_s <- pmin(0.26, 0.75 * b$filling_s)
  a_s <- pmin(0.15, 0.5 * b$filling_s)
  a_share <- if (has_a_wave) 0.28 else 0
  e <- pulse(pmin(pmax(filling_s / e_s, 0), 1), 2.4)
  a <- pulse(pmin(pmax((filling_s - (b$filling_s - a_s)) / a_s, 0), 1), 2)
  b$edv - (b$edv - b$esv) * ejected + (b$next_edv - b$esv) * ((1 - a_share) * e + a_share * a)
}

# A curve: `frames` as detect_beats() takes them, and the `beats` in it.
flow_curve <- function(seed, rate_bpm = 70, frame_rate_hz = 50, duration_s = 10, rhythm = "sinus",
                       ef_percent = c(50, 68), noise = 0, drift = 0, dropped = 0) {
  set.seed(seed)
  beats <- draw_beats(rhythm, rate_bpm * stats::runif(1, 0.97, 1.03), duration_s,
                      stats::runif(1, ef_percent[1], ef_percent[2]))
  time_s <- seq(0, duration_s, by = 1 / frame_rate_hz)
  volume <- volume_at(time_s, beats, rhythm != "af")
  long_axis <- 8 * volume^stats::runif(1, 0.16, 0.28)
  area <- sqrt(3 * pi * long_axis * 110 * volume / 8)
  count <- length(time_s)
  sway <- drift * diff(range(area)) * sin(2 * pi * 0.2 * time_s + stats::runif(1, 0, 2 * pi))
  status <- ifelse(stats::runif(count) < dropped, 2L, 0L)
  frames <- data.frame(
    time_s = time_s,
    area = area + sway + noise * mean(area) * stats::rnorm(count),
    long_axis = long_axis * (1 + 0.5 * noise * stats::rnorm(count)),
    status = status, confidence = 0.9
  )
  frames[status == 2L, c("area", "long_axis", "confidence")] <- NA
  inside <- beats$es_s >= 0 & beats$es_s <= duration_s
  list(frames = frames, beats = beats[inside, ], duration_s = duration_s)
}
