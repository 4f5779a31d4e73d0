# Measures the method on simulated curves, and the choices that the comments in R/ quote.
# Run it in `r/` (about a minute on an idle core):
#   Rscript data-raw/beat_accuracy.R

for (file in sort(list.files("R", "\\.R$", full.names = TRUE), method = "radix")) source(file)
source("tests/testthat/helper-curves.R")

score <- function(find, clips, edge_s = 0.15) {
  total <- Reduce(`+`, lapply(clips, function(clip) {
    frames <- clip$frames
    found <- unlist(lapply(
      stretches_of(frames$time_s, frames$status %in% c(0L, 3L)),
      function(at) frames$time_s[at][find(frames$time_s[at], frames$area_px[at])$minima$index]
    ))
    match_beats(as.double(found), clip$beats$es_s, max(frames$time_s), edge_s = edge_s)
  }))
  c(sensitivity = total[["true_found"]] / total[["true"]],
    precision = total[["found_true"]] / total[["found"]])
}

clips_of <- function(n, ...) lapply(seq_len(n), simulate_clip, ...)

cases <- list(
  "50 Hz, 70 bpm" = list(), "6 % noise" = list(noise = 0.06), "160 bpm" = list(rate_bpm = 160),
  "30 Hz, 110 bpm" = list(rate_bpm = 110, frame_rate_hz = 30),
  "25 Hz, 150 bpm" = list(rate_bpm = 150, frame_rate_hz = 25),
  "100 Hz, 4 % noise" = list(frame_rate_hz = 100, noise = 0.04),
  "40 bpm" = list(rate_bpm = 40, duration_s = 6),
  "AF, 90 bpm" = list(rhythm = "af", rate_bpm = 90), "ectopic" = list(rhythm = "ectopic"),
  "EF 20 %, 4 % noise, drift" = list(ef = 20, noise = 0.04, drift = 0.03),
  "EF 20 %, 2 % noise, drift" = list(ef = 20, noise = 0.02, drift = 0.03),
  "EF 10 %, 1.5 % noise" = list(ef = 10, noise = 0.015), "1.5 s" = list(duration_s = 1.5),
  "5 % lost, 3 % noise" = list(missing = 0.05, noise = 0.03),
  "45 bpm, 16 % slips" = list(rate_bpm = 45, duration_s = 6, noise = 0, slips = 0.16),
  "70 bpm, 16 % slips" = list(duration_s = 6, noise = 0, slips = 0.16),
  "ectopic, 110 bpm, 3 s" = list(rhythm = "ectopic", rate_bpm = 110, duration_s = 3, ef = 45),
  "every second beat early" = list(rhythm = "bigeminy", rate_bpm = 65, duration_s = 6),
  "every second early, slips" = list(rhythm = "bigeminy", rate_bpm = 65, duration_s = 6,
                                     slips = 0.10)
)

# The method without the wider window once the cycle is known.
narrow <- function(time_s, area) {
  value <- smooth_cubic(time_s, hampel(time_s, area), 0.14)
  cycle_s <- cycle_by_autocorrelation(time_s, value)[["cycle_s"]]
  spacing_s <- if (is.na(cycle_s)) 0.273 else clamp(0.4 * cycle_s, 0.273, 0.40)
  minima <- prominent_minima(value)
  minima <- minima[is_deep(minima, curve_range(value), FALSE), ]
  list(minima = spaced_minima(minima, time_s, spacing_s, curve_range(value)))
}

cat("End-systoles within 0.10 s, 60 clips a case: sensitivity and precision\n")
table <- t(vapply(cases, function(case) {
  clips <- do.call(clips_of, c(list(60), case))
  c(ours = score(find_end_systoles, clips), "0.14 s only" = score(narrow, clips),
    echonet = score(find_end_systoles_echonet, clips))
}, double(6)))
print(round(table, 3))

cat("\nThe same without the rule that a shallow end-systole repeats\n")
with_rule <- least_repetition
least_repetition <- Inf
print(round(t(vapply(cases, function(case) {
  score(find_end_systoles, do.call(clips_of, c(list(60), case)))
}, double(2))), 3))
least_repetition <- with_rule

# Curves that flicker have a range that is small to their noise. How often is no heart rate told,
# and how far off would those and the others be? In the last, end-systoles of 0.10 to 0.35 count too.
cat("\nWeak hearts, 60 clips a case: share without a heart rate; error of theirs, had it been told,",
    "\nand of the others (bpm); sensitivity and precision, and with shallow end-systoles\n")
weak <- list(
  "AF, EF 20 %, 2 % noise" = list(rhythm = "af", rate_bpm = 90, ef = 20, noise = 0.02),
  "AF, EF 20 %, 4 % noise" = list(rhythm = "af", rate_bpm = 90, ef = 20, noise = 0.04),
  "the same, 30 % slips" = list(rhythm = "af", rate_bpm = 90, ef = 20, noise = 0.04, slips = 0.3),
  "50 bpm, EF 15 %, 30 % slips" = list(rate_bpm = 50, ef = 15, noise = 0.02, slips = 0.3),
  "80 bpm, EF 15 %, 50 % slips" = list(rate_bpm = 80, ef = 15, noise = 0.03, slips = 0.5),
  "EF 10 %, 1.5 % noise" = list(ef = 10, noise = 0.015)
)
rates_of_clips <- function(clips) {
  t(vapply(clips, function(clip) {
    names(clip$frames)[2:3] <- c("area", "long_axis")
    beats <- detect_beats(clip$frames, view = "A4C")
    refused <- beats$flickers
    beats$flickers <- FALSE
    beats$rhythm <- rhythm_of(beats$es_to_es_s)
    c(refused = refused, error = abs(heart_rate(beats) - 60 / mean(diff(clip$beats$es_s))))
  }, double(2)))
}
with_share <- least_signal
print(round(t(vapply(weak, function(case) {
  clips <- do.call(clips_of, c(list(60), case))
  rates <- rates_of_clips(clips)
  error <- function(of) mean(rates[rates[, "refused"] == of, "error"], na.rm = TRUE)
  strict <- score(find_end_systoles, clips)
  least_signal <<- 0
  shallow <- score(find_end_systoles, clips)
  least_signal <<- with_share
  c(refused = mean(rates[, "refused"]), theirs = error(1), others = error(0), strict,
    shallow = shallow)
}, double(7))), 3))

cat("\nClips of 30 frames at 30 Hz, edges counted from 0.08 s, by the rise that is asked for at the",
    "\nedge where the curve is low: 1.5 % noise, then 4 %\n")
clips_of_a_second <- function(noise) {
  lapply(1:120, function(seed) {
    simulate_clip(seed, rate_bpm = 50 + seed %% 50, frame_rate_hz = 30, duration_s = 29 / 30,
                  noise = noise)
  })
}
short <- clips_of_a_second(0.015)
noisy <- clips_of_a_second(0.04)
with_rule <- least_low_cut_rise
for (asked in c(0.20, 0.15, with_rule, 0.05)) {
  least_low_cut_rise <- asked
  scores <- c(score(find_end_systoles, short, 0.08), score(find_end_systoles, noisy, 0.08))
  cat(sprintf("%.2f", asked), sprintf("%.3f", scores), "\n")
}
least_low_cut_rise <- with_rule

cat("\nEF error (points) over noise, frame rate, rate and EF: this method and raw extremes\n")
grid <- expand.grid(noise = c(0.005, 0.02, 0.04), rate_hz = c(25, 50, 100),
                    rate = c(50, 75, 120, 160), ef = c(25, 55, 70), seed = 1:3)
errors <- t(vapply(seq_len(nrow(grid)), function(i) {
  g <- grid[i, ]
  frames <- simulate_clip(10 * i, rate_bpm = g$rate, frame_rate_hz = g$rate_hz, noise = g$noise,
                          ef = g$ef, duration_s = 5)$frames
  names(frames)[2:3] <- c("area", "long_axis")
  beats <- detect_beats(frames, view = "A4C")
  complete <- beats$measures[beats$measures$complete, ]
  raw <- vapply(seq_len(nrow(complete)), function(k) {
    near <- function(t, within_s) abs(frames$time_s - t) <= within_s
    volume <- beats$frames$volume
    ejection_fraction(max(volume[near(complete$ed_s[k], 0.12)]),
                      min(volume[near(complete$es_s[k], 0.08)]))
  }, double(1))
  c(ours = mean(complete$ef_percent), raw = mean(raw),
    rate = summary(beats)$heart_rate_bpm) - c(g$ef, g$ef, g$rate)
}, double(3)))
kept <- errors[stats::complete.cases(errors), ]
print(round(rbind(bias = colMeans(kept), absolute = colMeans(abs(kept))), 2))
cat(nrow(kept), "of", nrow(grid), "clips have complete beats\n")
for (by in c("noise", "rate_hz", "rate", "ef")) {
  cat("\nEF bias by ", by, "\n", sep = "")
  print(round(vapply(split(errors[, "ours"], grid[[by]]), mean, double(1), na.rm = TRUE), 2))
}

cat("\nEF of clips of one second, incomplete beats included (points)\n")
one_second <- vapply(short, function(clip) {
  names(clip$frames)[2:3] <- c("area", "long_axis")
  summary(detect_beats(clip$frames, view = "A4C"))$ef_percent - 60
}, double(1))
print(round(c(given = mean(!is.na(one_second)), bias = mean(one_second, na.rm = TRUE),
              absolute = mean(abs(one_second), na.rm = TRUE),
              stats::quantile(abs(one_second), c(0.95, 1), na.rm = TRUE)), 2))
