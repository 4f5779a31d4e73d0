# Simulated ventricles with known beats: the truth that detection and volumes are tested against.

# Volume over one cycle as a share of the stroke: 1 at end-diastole (phase 0), 0 at end-systole.
# Ejection, until `es_s`, is half a cosine; then rapid filling, diastasis, and the
# atrial kick (none in AF).
cycle_shape <- function(phase_s, cycle_s, es_s, kick) {
  filling_s <- cycle_s - es_s
  early <- 1 - kick
  rapid_s <- 0.45 * filling_s
  kick_s <- 0.25 * filling_s
  u <- phase_s - es_s
  v <- ifelse(
    phase_s <= es_s, 0.5 * (1 + cos(pi * phase_s / es_s)),
    ifelse(u <= rapid_s, early * 0.5 * (1 - cos(pi * u / rapid_s)),
           ifelse(u <= filling_s - kick_s, early,
                  early + kick * 0.5 * (1 - cos(pi * (u - filling_s + kick_s) / kick_s))))
  )
  pmin(pmax(v, 0), 1)
}

# Ejection lasts about 0.34 s at 70 bpm and shortens with the cycle *before* it.
ejection_s <- function(rr) {
  before <- c(rr[1], rr[-length(rr)])
  pmin(0.45 * rr, 0.34 * sqrt(before / 0.85))
}

# RR intervals (s) that cover `duration_s` and one cycle on either side.
rr_intervals <- function(rate_bpm, duration_s, rhythm) {
  n <- ceiling((duration_s + 4) * rate_bpm / 60 * 1.6) + 6L
  mean_s <- 60 / rate_bpm
  rr <- switch(rhythm,
    sinus = mean_s * (1 + stats::rnorm(n, sd = 0.02)),
    af = pmax(mean_s * (1 + stats::rnorm(n, sd = 0.20)), 0.38),
    ectopic = mean_s * (1 + stats::rnorm(n, sd = 0.02)),
    bigeminy = mean_s * rep_len(c(0.7, 1.3), n) * (1 + stats::rnorm(n, sd = 0.02))
  )
  if (rhythm == "ectopic") {
    at <- which(cumsum(rr) > 0.45 * duration_s + mean_s)[1]
    rr[at] <- 0.65 * mean_s
    rr[at + 1L] <- 1.35 * mean_s
  }
  rr
}

# Noise of SD 1 that forgets itself within `lasts_s`, as an outline's slips do (first-order
# autoregression at even times).
lasting_noise <- function(time_s, lasts_s = 0.15) {
  kept <- exp(-(time_s[2] - time_s[1]) / lasts_s)
  fresh <- stats::rnorm(length(time_s), sd = sqrt(1 - kept^2))
  as.double(stats::filter(fresh, kept, "recursive"))
}

# One clip: data frame of frames (time_s, area_px, long_axis_px, status, confidence), and the true
# beats (ed_s, es_s, next_ed_s, ef_percent) of which the end-systole is in the clip.
simulate_clip <- function(seed, rate_bpm = 70, frame_rate_hz = 50, duration_s = 4, ef = 60,
                          noise = 0.01, rhythm = "sinus", drift = 0, slips = 0, missing = 0,
                          gap_s = 0, phase = NULL) {
  set.seed(seed)
  rr <- rr_intervals(rate_bpm, duration_s, rhythm)
  lead_s <- rr[1] * (if (is.null(phase)) stats::runif(1) else phase)
  ed <- c(0, cumsum(rr)) - lead_s
  kick <- if (rhythm == "af") 0 else 0.25
  time_s <- seq(0, duration_s, by = 1 / frame_rate_hz)
  cycle <- findInterval(time_s, ed)
  es_after_s <- ejection_s(rr)
  shape <- vapply(seq_along(time_s), function(i) {
    cycle_shape(time_s[i] - ed[cycle[i]], rr[cycle[i]], es_after_s[cycle[i]], kick)
  }, double(1))
  edv <- 1e5 * stats::runif(1, 0.7, 1.4)
  # After a short cycle the ventricle is less full: beat k ends its filling at level[k].
  level <- 1 - 0.35 * pmax(0, 1 - c(rr[1], rr)[seq_along(rr)] / mean(rr))
  if (rhythm == "sinus") {
    level[] <- 1
  }
  esv <- edv * (1 - ef / 100)
  top <- esv + (edv - esv) * level
  after_es <- time_s - ed[cycle] > es_after_s[cycle]
  top_here <- ifelse(after_es, top[cycle + 1L], top[cycle])
  volume <- esv + (top_here - esv) * shape
  # Length shortens less than width; A follows from V = 8 A^2 / (3 pi L).
  long_axis <- 80 * (volume / edv)^0.25
  area <- sqrt(3 * pi * long_axis * volume / 8)
  wander <- 1 + drift * sin(2 * pi * 0.25 * time_s + stats::runif(1, 0, 6))
  frames <- data.frame(
    time_s = time_s,
    area_px = area * wander * (1 + stats::rnorm(length(time_s), sd = noise)),
    long_axis_px = long_axis * sqrt(wander) * (1 + stats::rnorm(length(time_s), sd = noise)),
    status = 0L,
    confidence = 0.9
  )
  if (slips > 0) {
    frames$area_px <- frames$area_px + slips * diff(range(area)) * lasting_noise(time_s)
  }
  if (missing > 0) {
    lost <- stats::runif(nrow(frames)) < missing
    frames$status[lost] <- 4L
  }
  if (gap_s > 0) {
    from <- stats::runif(1, 0.3, 0.7) * duration_s
    frames$status[time_s >= from & time_s < from + gap_s] <- 4L
  }
  es <- ed[-length(ed)] + es_after_s
  beats <- data.frame(
    ed_s = ed[-length(ed)], es_s = es, next_ed_s = ed[-1],
    ef_percent = 100 * (top - esv) / top
  )
  list(frames = frames, beats = beats[beats$es_s >= 0 & beats$es_s <= duration_s, ],
       rate_bpm = 60 / mean(diff(ed[ed >= -mean(rr) & ed <= duration_s + mean(rr)])))
}

# Sensitivity and precision of detected end-systoles, matched one to one within `within_s`. Beats
# less than `edge_s` from an end of the clip do not count.
match_beats <- function(found_s, true_s, duration_s, within_s = 0.10, edge_s = 0.15) {
  inside <- function(t) t >= edge_s & t <= duration_s - edge_s
  hit_true <- vapply(true_s, function(t) any(abs(found_s - t) <= within_s), logical(1))
  hit_found <- vapply(found_s, function(t) any(abs(true_s - t) <= within_s), logical(1))
  c(true = sum(inside(true_s)), true_found = sum(hit_true[inside(true_s)]),
    found = sum(inside(found_s)), found_true = sum(hit_found[inside(found_s)]))
}
