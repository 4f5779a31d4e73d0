# Finds end-systoles on a curve of seconds and sizes: smoothing, cycle length, prominent minima.
#
# Steps 1 to 4 of the method: gaps and Hampel filter; a local cubic over 0.14 s; the cycle length
# from the autocorrelation; minima of at least 0.35 of the curve's range (5th to 95th percentile;
# 0.20 on a side that the clip's edge cuts off). Three things are added. Once the cycle T is known,
# minima are sought on a cubic over 0.35 T (0.14 to 0.35 s), or 0.5 T where a frame's noise passes a
# fifth of the range. Where the curve is low, or an ejection came before, less of a rise is enough.
# Where the curve repeats itself, a shallow minimum has to repeat too; where it flickers, 0.35 are
# asked everywhere.
# data-raw/beat_accuracy.R measures this on the curves that it was chosen on, data-raw/beat_table.R
# on others.

rate_limits_bpm <- c(30, 220)

# Autocorrelation of a detrended, evenly resampled curve, for lags of 30 to 220 bpm. The cycle is
# the smallest peak of at least 0.85 of the highest, or 0.80 at a half, a third or less of its lag:
# a curve repeats itself over several cycles too. Returns c(cycle_s, correlation), NA where no peak
# is there: the stretch is too short or does not repeat.
cycle_by_autocorrelation <- function(time_s, value) {
  unknown <- c(cycle_s = NA_real_, correlation = NA_real_)
  if (length(value) < 8L) {
    return(unknown)
  }
  step_s <- stats::median(diff(time_s))
  grid_s <- seq(time_s[1], time_s[length(time_s)], by = step_s)
  even <- stats::approx(time_s, value, grid_s, rule = 2)$y
  even <- stats::lm.fit(cbind(1, grid_s), even)$residuals
  lag_range <- 60 / rev(rate_limits_bpm) / step_s
  # A lag is trusted only where at least 40 % of the stretch overlaps with itself.
  last <- min(floor(lag_range[2]), floor(0.6 * length(even)))
  first <- max(2L, floor(lag_range[1]))
  if (last < first + 2L || stats::var(even) <= 0) {
    return(unknown)
  }
  lags <- seq.int(first - 1L, last + 1L)
  correlation <- vapply(lags, function(lag) {
    a <- even[seq_len(length(even) - lag)]
    b <- even[-seq_len(lag)]
    sum(a * b) / sqrt(sum(a^2) * sum(b^2))
  }, double(1))
  middle <- seq.int(2L, length(lags) - 1L)
  peaks <- middle[correlation[middle] >= correlation[middle - 1L] &
                    correlation[middle] > correlation[middle + 1L] & correlation[middle] > 0]
  if (length(peaks) == 0L) {
    return(unknown)
  }
  peak <- peaks[correlation[peaks] >= 0.85 * max(correlation[peaks])][1]
  parts <- lags[peak] / lags[peaks]
  whole <- parts >= 1.5 & abs(parts / round(parts) - 1) <= 0.1
  peak <- c(peaks[whole & correlation[peaks] >= 0.80 * correlation[peak]], peak)[1]
  c(cycle_s = refine_extreme(lags * step_s, correlation, peak), correlation = correlation[peak])
}

# Local minima with how far the curve rises on either side before it falls below the minimum again
# or ends, and whether the edge cuts that rise off: nothing lower on that side, and its highest
# value among the two outermost. The prominence is the lower of the two rises.
prominent_minima <- function(value) {
  count <- length(value)
  if (count < 3L) {
    return(no_minima)
  }
  steps <- rle(value)
  ends <- cumsum(steps$lengths)
  starts <- ends - steps$lengths + 1L
  inner <- seq_along(ends)[-c(1L, length(ends))]
  low <- inner[steps$values[inner] < steps$values[inner - 1L] &
                 steps$values[inner] < steps$values[inner + 1L]]
  index <- (starts[low] + ends[low]) %/% 2L
  left <- vapply(index, function(i) rise(rev(value[seq_len(i - 1L)]), value[i]), double(2))
  right <- vapply(index, function(i) rise(value[seq.int(i + 1L, count)], value[i]), double(2))
  if (length(index) == 0L) {
    return(no_minima)
  }
  list2DF(list(
    index = index, prominence = pmin(left[1, ], right[1, ]), left = left[1, ], right = right[1, ],
    left_cut = left[2, ] > 0, right_cut = right[2, ] > 0
  ))
}

no_minima <- data.frame(
  index = integer(), prominence = double(), left = double(), right = double(),
  left_cut = logical(), right_cut = logical()
)

# c(rise, is it cut off by the edge?) of one side, `side` running outwards from the minimum.
rise <- function(side, floor_value) {
  lower <- which(side < floor_value)
  until <- if (length(lower) > 0L) lower[1] else length(side)
  cut <- length(lower) == 0L && which.max(side) >= length(side) - 1L
  c(max(side[seq_len(until)]) - floor_value, cut)
}

least_rise <- 0.35

least_cut_rise <- 0.20

# Of a rise that the edge cuts off, only the beginning is seen. Where a curve shows less than two
# end-systoles, as in a clip of a second, this much is enough if the curve is low. In longer clips
# the heart rate would lose by it, since an edge moves an end-systole.
least_low_cut_rise <- 0.10

# Where the curve is in the lowest third of its range, less of a rise tells an end-systole: before a
# premature beat the ventricle fills but little. Notches of the filling lie higher.
least_low_rise <- 0.18

lowest_part <- 0.35

# After a fall of half the range, which is an ejection, a rise of 0.10 tells an end-systole: a
# premature beat, or one of atrial fibrillation, may follow when hardly any blood has come in. With
# the true masks of 300 simulated clips 0.994 of the end-systoles are found in place of 0.989.
least_ejection <- 0.50

least_rise_after_ejection <- 0.10

# An end-systole rises by 0.35 of the range on both sides; 0.20 is enough where the edge cuts off a
# side. Where the curve is low one side may rise by 0.18 only, or by `low_cut_rise` if it is cut
# off; after an ejection the other side by 0.10.
is_deep <- function(minima, range, low, low_cut_rise = least_cut_rise) {
  enough <- function(rise, cut) {
    low_rise <- ifelse(cut, low_cut_rise, least_low_rise)
    rise >= ifelse(low, low_rise, ifelse(cut, least_cut_rise, least_rise)) * range
  }
  both <- enough(minima$left, minima$left_cut) & enough(minima$right, minima$right_cut) &
    pmax(minima$left, minima$right) >= least_rise * range
  ejected <- minima$left >= least_ejection * range & !minima$right_cut &
    minima$right >= least_rise_after_ejection * range
  both | ejected
}

# A curve whose autocorrelation reaches this repeats itself; below, its lag may be no cycle.
least_repetition <- 0.55

repeats_itself <- function(curve) {
  !is.na(curve$correlation) && curve$correlation >= least_repetition
}

# An end-systole that rises by less than this share of the range is shallow.
shallow_rise <- 0.5

repeats_within_s <- 0.10

# A curve flickers if it does not repeat itself, and what smoothing leaves of its variance is less
# than this share of that and the noise of single frames. Minima that are less deep than 0.35 of the
# range are slips there as often as beats; a rate or a rhythm told from it may be the outline's.
# data-raw/beat_accuracy.R measures both.
least_signal <- 0.85

flickers <- function(curve) {
  variance <- if (length(curve$value) < 2L) 0 else stats::var(curve$value)
  !repeats_itself(curve) && variance < least_signal * (variance + curve$noise^2)
}

# Are minima deep, or there again in the mean of the curve with itself one cycle before and after?
# Slips of the outline are not: at 45 bpm this drops four of ten false end-systoles and no true one.
# A premature beat is deep, and where every second beat is early, that repeats too.
is_deep_or_repeated <- function(minima, curve, time_s) {
  deep <- minima$prominence >= shallow_rise * curve$range
  if (all(deep) || !repeats_itself(curve)) {
    return(rep(TRUE, nrow(minima)))
  }
  near_s <- outer(time_s, c(-1, 0, 1) * curve$cycle_s, "+")
  near <- stats::approx(time_s, curve$value, near_s)$y # NA where the clip has no such time
  again <- deep_minima(rowMeans(matrix(near, ncol = 3L), na.rm = TRUE))
  deep | vapply(time_s[minima$index], function(at_s) {
    any(abs(time_s[again$index] - at_s) <= repeats_within_s)
  }, NA)
}

# The minima of a smooth curve that are deep enough for an end-systole.
deep_minima <- function(value, low_cut_rise = least_cut_rise) {
  minima <- prominent_minima(value)
  range <- curve_range(value)
  lowest <- stats::quantile(value, 0.05, names = FALSE)
  low <- value[minima$index] <= lowest + lowest_part * range
  minima[is_deep(minima, range, low, low_cut_rise), , drop = FALSE]
}

# 60 s over the fastest rate: no two end-systoles are closer.
least_spacing_s <- 60 / rate_limits_bpm[2]

# Keeps the most prominent minima that lie at least `spacing_s` apart; of deep ones any that a heart
# can beat apart, since the lag that repeats best may be several cycles.
spaced_minima <- function(minima, time_s, spacing_s, range) {
  deep <- minima$prominence >= shallow_rise * range
  apart_s <- ifelse(deep, least_spacing_s, spacing_s)
  kept <- integer()
  for (row in order(-minima$prominence)) {
    distance_s <- abs(time_s[minima$index[kept]] - time_s[minima$index[row]])
    if (all(distance_s >= apart_s[row])) {
      kept <- c(kept, row)
    }
  }
  minima[sort(kept), , drop = FALSE]
}

clamp <- function(x, low, high) min(max(x, low), high)

# The curve's range that an end-systole is measured against.
curve_range <- function(value) diff(stats::quantile(value, c(0.05, 0.95), names = FALSE))

# Noise of single frames, from second differences: blind to the beating itself.
frame_noise <- function(value) {
  if (length(value) < 5L) 0 else stats::mad(diff(value, differences = 2L), 0) / sqrt(6)
}

narrow_window_s <- 0.14

# Where the noise of a single frame passes this share of the curve's range, the minima are sought on
# a wider cubic still.
noisy_share <- 0.20

noisy_cycle_share <- 0.5

longest_window_s <- 0.55

shortest_stretch_s <- 0.3

# A curve that moves less than this share of its size shows no beats.
least_motion <- 0.02

# Ranges below this many times the noise of a single frame cannot be told from noise.
least_range_to_noise <- 2.2

# What end-systoles are sought on: `cleaned` of outliers, and `value`, smoothed as widely as the
# cycle length and the noise ask; with `cycle_s`, `correlation`, `range` and the `noise` of single
# frames.
smooth_for_beats <- function(time_s, area) {
  if (length(area) < 5L) {
    return(list(cleaned = area, value = area, cycle_s = NA_real_, noise = 0,
                correlation = NA_real_, range = 0))
  }
  cleaned <- hampel(time_s, area)
  smooth <- smooth_cubic(time_s, cleaned, narrow_window_s)
  cycle <- cycle_by_autocorrelation(time_s, smooth)
  cycle_s <- cycle[["cycle_s"]]
  noise <- frame_noise(area)
  if (!is.na(cycle_s)) {
    window_s <- clamp(0.35 * cycle_s, narrow_window_s, 0.35)
    smooth <- smooth_cubic(time_s, cleaned, window_s)
    if (noise > noisy_share * curve_range(smooth)) {
      window_s <- clamp(noisy_cycle_share * cycle_s, window_s, longest_window_s)
      smooth <- smooth_cubic(time_s, cleaned, window_s)
    }
  }
  list(cleaned = cleaned, value = smooth, cycle_s = cycle_s, noise = noise,
       correlation = cycle[["correlation"]], range = curve_range(smooth))
}

# End-systoles of one stretch: what smooth_for_beats() gives, with the `minima` (index, prominence).
find_end_systoles <- function(time_s, area) {
  curve <- smooth_for_beats(time_s, area)
  value <- curve$value
  moves <- length(area) >= 5L && time_s[length(time_s)] - time_s[1] >= shortest_stretch_s &&
    curve$range >= least_motion * stats::median(value) &&
    curve$range >= least_range_to_noise * curve$noise
  if (!moves) {
    return(c(curve, list(minima = no_minima)))
  }
  spacing_s <- if (repeats_itself(curve)) {
    clamp(0.4 * curve$cycle_s, least_spacing_s, 0.40)
  } else {
    least_spacing_s
  }
  minima <- deep_minima(value)
  if (nrow(minima) < 2L) {
    minima <- deep_minima(value, least_low_cut_rise)
  }
  kept <- if (flickers(curve)) {
    minima$prominence >= least_rise * curve$range
  } else {
    is_deep_or_repeated(minima, curve, time_s)
  }
  minima <- minima[kept, , drop = FALSE]
  c(curve, list(minima = spaced_minima(minima, time_s, spacing_s, curve$range)))
}
