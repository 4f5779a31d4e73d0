# Simulated curves with known end-systoles; see helper-curves.R.

score <- function(clips, find, within_s = 0.10) {
  counts <- lapply(clips, function(clip) {
    frames <- clip$frames
    stretches <- stretches_of(frames$time_s, frames$status %in% c(0L, 3L))
    found <- unlist(lapply(stretches, function(at) {
      time_s <- frames$time_s[at]
      time_s[find(time_s, frames$area_px[at])$minima$index]
    }))
    match_beats(as.double(found), clip$beats$es_s, max(frames$time_s), within_s)
  })
  total <- Reduce(`+`, counts)
  c(sensitivity = total[["true_found"]] / total[["true"]],
    precision = total[["found_true"]] / total[["found"]])
}

clips_of <- function(n, ...) lapply(seq_len(n), simulate_clip, ...)

cases <- list(
  "50 Hz, 70 bpm" = list(),
  "6 % noise" = list(noise = 0.06),
  "160 bpm" = list(rate_bpm = 160),
  "30 Hz, 110 bpm" = list(rate_bpm = 110, frame_rate_hz = 30),
  "25 Hz, 150 bpm" = list(rate_bpm = 150, frame_rate_hz = 25),
  "100 Hz, 4 % noise" = list(frame_rate_hz = 100, noise = 0.04),
  "30 bpm" = list(rate_bpm = 32, duration_s = 8),
  "atrial fibrillation" = list(rhythm = "af", rate_bpm = 90),
  "ectopic beat" = list(rhythm = "ectopic"),
  "1.5 s" = list(duration_s = 1.5),
  "EF 20 %, 2 % noise, drift" = list(ef = 20, noise = 0.02, drift = 0.03),
  "drift 10 %" = list(drift = 0.1, noise = 0.02),
  "5 % of frames lost" = list(missing = 0.05, noise = 0.02)
)

for (name in names(cases)) {
  test_that(paste("beats are found:", name), {
    found <- score(do.call(clips_of, c(list(12), cases[[name]])), find_end_systoles)
    expect_gte(found[["sensitivity"]], 0.97)
    expect_gte(found[["precision"]], 0.97)
  })
}

test_that("the wider window keeps precision where EF is low and noise is high", {
  clips <- clips_of(15, ef = 20, noise = 0.04, drift = 0.03)
  found <- score(clips, find_end_systoles)
  expect_gte(found[["sensitivity"]], 0.95)
  expect_gte(found[["precision"]], 0.93)
})

test_that("a heart has the same beats at 30 and at 90 frames per second", {
  es_of <- function(rate) {
    frames <- simulate_clip(7, frame_rate_hz = rate, noise = 0, phase = 0.3)$frames
    frames$time_s[find_end_systoles(frames$time_s, frames$area_px)$minima$index]
  }
  expect_equal(es_of(30), es_of(90), tolerance = 0.035)
})

test_that("the cycle length comes from seconds", {
  for (rate_bpm in c(35, 60, 75, 120, 200)) {
    time_s <- seq(0, 6, by = 1 / 60)
    area <- 30 + 5 * cos(2 * pi * rate_bpm / 60 * time_s)
    cycle <- cycle_by_autocorrelation(time_s, area)
    expect_equal(60 / cycle[["cycle_s"]], rate_bpm, tolerance = 0.02)
    expect_gt(cycle[["correlation"]], 0.9)
  }
})

test_that("the cycle is one beat also where every third is shallower", {
  time_s <- seq(0, 3, by = 0.02)
  depth <- c(1, 0.6, 1)[time_s %/% 0.4 %% 3 + 1]
  area <- 40 - 4 * depth * (1 - cos(2 * pi * time_s / 0.4)) # 150 bpm
  expect_equal(cycle_by_autocorrelation(time_s, area)[["cycle_s"]], 0.4, tolerance = 0.02)
})

test_that("where a weak heart's curve flickers, at least three of four end-systoles are true", {
  counts <- Reduce(`+`, lapply(1:60, function(seed) {
    clip <- simulate_clip(seed, rate_bpm = 50, ef = 15, noise = 0.02, slips = 0.3)
    time_s <- clip$frames$time_s
    found <- find_end_systoles(time_s, clip$frames$area_px)$minima$index
    match_beats(time_s[found], clip$beats$es_s, max(time_s))
  }))
  expect_gt(counts[["found_true"]] / counts[["found"]], 0.75)
  expect_gt(counts[["true_found"]] / counts[["true"]], 0.75)
})

test_that("a flat curve, noise alone and a very short clip show no beats", {
  time_s <- seq(0, 3, by = 0.02)
  flat <- find_end_systoles(time_s, rep(40, length(time_s)))
  expect_identical(nrow(flat$minima), 0L)
  noisy <- vapply(1:20, function(seed) {
    set.seed(seed)
    nrow(find_end_systoles(time_s, 40 + stats::rnorm(length(time_s)))$minima)
  }, integer(1))
  expect_lte(mean(noisy > 0), 0.1)
  expect_identical(nrow(find_end_systoles(time_s[1:10], 40 - time_s[1:10])$minima), 0L)
})

test_that("prominence is the lower of the two rises", {
  found <- prominent_minima(c(9, 4, 7, 2, 6))
  expect_identical(found$index, c(2L, 4L))
  expect_identical(found$prominence, c(3, 4))
})

test_that("end-systoles near a clip's edge are found, without false ones", {
  clips <- lapply(1:40, function(seed) {
    simulate_clip(seed, rate_bpm = 50 + seed, frame_rate_hz = 30, duration_s = 29 / 30,
                  noise = 0.015)
  })
  counts <- Reduce(`+`, lapply(clips, function(clip) {
    time_s <- clip$frames$time_s
    found <- time_s[find_end_systoles(time_s, clip$frames$area_px)$minima$index]
    match_beats(found, clip$beats$es_s, max(time_s), edge_s = 0.08)
  }))
  expect_gte(counts[["true_found"]] / counts[["true"]], 0.94)
  expect_gte(counts[["found_true"]] / counts[["found"]], 0.97)
})

test_that("a premature beat of a fast heart keeps its end-systole", {
  missed <- vapply(c(9, 24, 37, 84), function(seed) {
    clip <- simulate_clip(seed, rhythm = "ectopic", rate_bpm = 110, duration_s = 3, ef = 45)
    time_s <- clip$frames$time_s
    found <- time_s[find_end_systoles(time_s, clip$frames$area_px)$minima$index]
    counts <- match_beats(found, clip$beats$es_s, max(time_s))
    counts[["true"]] - counts[["true_found"]]
  }, double(1))
  expect_identical(missed, c(0, 0, 0, 0))
})

test_that("a rise that the edge cuts off is marked", {
  found <- prominent_minima(c(5, 4, 1, 9, 8, 8.5, 2))
  expect_identical(found$left_cut, c(TRUE, FALSE))
  expect_identical(found$right_cut, c(FALSE, FALSE))
})

test_that("a minimum of two equal frames is one minimum", {
  expect_identical(prominent_minima(c(5, 1, 1, 5))$index, 2L)
})

# Sizes that run by half cosines through turning points at given seconds.
through <- function(time_s, turns_s, sizes) {
  piece <- findInterval(time_s, turns_s, all.inside = TRUE)
  share <- (time_s - turns_s[piece]) / (turns_s[piece + 1L] - turns_s[piece])
  sizes[piece] + (sizes[piece + 1L] - sizes[piece]) * (1 - cos(pi * share)) / 2
}

test_that("an end-systole is found before a premature beat that had little time to fill", {
  time_s <- seq(0, 3.98, 0.02)
  turns_s <- c(0, 0.35, 0.8, 1.15, 1.6, 1.95, 2.2, 2.55, 3.2, 3.55, 4)
  #             the beat at 2.2 s begins after a quarter of the usual filling
  sizes <- 1000 * c(2, 1.2, 2, 1.2, 2, 1.2, 1.4, 1.1, 2.1, 1.2, 2)
  found <- find_end_systoles(time_s, through(time_s, turns_s, sizes))
  expect_equal(time_s[found$minima$index], c(0.35, 1.15, 1.95, 2.55, 3.55), tolerance = 0.03)
})

test_that("an end-systole is found though hardly any blood comes in before the next beat", {
  time_s <- seq(0, 3.98, 0.02)
  turns_s <- c(0, 0.35, 0.8, 1.15, 1.5, 1.85, 2.05, 2.4, 3.2, 3.55, 4)
  #             the beat at 2.05 s begins after an eighth of the usual filling
  sizes <- 1000 * c(2, 1.2, 2, 1.2, 2, 1.3, 1.4, 1, 2, 1.2, 2)
  found <- find_end_systoles(time_s, through(time_s, turns_s, sizes))
  expect_equal(time_s[found$minima$index], c(0.35, 1.15, 1.85, 2.4, 3.55), tolerance = 0.03)
})

test_that("a fast heart keeps its beats where the curve repeats itself every third of them", {
  time_s <- seq(0, 3.5, 0.01)
  ed_s <- 0.39 * 0:9
  es_s <- ed_s[-10] + 0.2
  turns_s <- sort(c(ed_s, es_s))
  sizes <- 100 * c(rbind(rep(c(20, 17.5, 17.5), 3), rep(c(12, 13.5, 13.5), 3)), 20)
  found <- find_end_systoles(time_s, through(time_s, turns_s, sizes))
  expect_equal(found$cycle_s, 3 * 0.39, tolerance = 0.02)
  expect_equal(time_s[found$minima$index], es_s, tolerance = 0.03)
})

test_that("a dip during filling is no end-systole", {
  time_s <- seq(0, 3.98, 0.02)
  turns_s <- c(0, 0.35, 0.6, 0.75, 1, 1.35, 1.6, 1.75, 2, 2.35, 2.6, 2.75, 3, 3.35, 4)
  sizes <- 1000 * c(2, 1.2, 1.8, 1.6, 2, 1.2, 1.8, 1.6, 2, 1.2, 1.8, 1.6, 2, 1.2, 2)
  found <- find_end_systoles(time_s, through(time_s, turns_s, sizes))
  expect_equal(time_s[found$minima$index], c(0.35, 1.35, 2.35, 3.35), tolerance = 0.03)
})

test_that("slips of the outline between a slow heart's beats are no end-systoles", {
  clips <- clips_of(40, rate_bpm = 45, duration_s = 6, noise = 0, slips = 0.16)
  found <- score(clips, find_end_systoles)
  expect_gte(found[["sensitivity"]], 0.95)
  expect_gte(found[["precision"]], 0.95)
})

test_that("every beat is found where every second one is early", {
  clips <- clips_of(20, rate_bpm = 65, rhythm = "bigeminy", duration_s = 6, noise = 0.01)
  expect_identical(score(clips, find_end_systoles), c(sensitivity = 1, precision = 1))
})
