# Finds end-systoles by the rule that the EchoNet-Dynamic code uses, for comparison only.
#
# The rule, written anew from its description: peaks of -size at least 20 frames apart, with a
# prominence of half the "trimmed" range. Its fault is kept: the trimming takes the sorted sizes
# at n^0.05 and n^0.95, a power where the product 0.05 n was meant; for 200 frames those are about
# the 1st and the 77th percentile. And 20 frames are not a time: at 50 per second beats faster
# than 150 bpm are lost, at 30 per second those faster than 90.

echonet_spacing_frames <- 20L

# Index of end-systolic frames of a whole clip; `size` without missing values.
echonet_end_systoles <- function(size) {
  count <- length(size)
  if (count < 3L) {
    return(no_minima)
  }
  sorted <- sort(size)
  at <- pmin(round(count^c(0.05, 0.95)) + 1L, count)
  minima <- prominent_minima(size)
  kept <- spaced_minima_by_depth(minima, size, echonet_spacing_frames)
  kept[kept$prominence >= 0.5 * (sorted[at[2]] - sorted[at[1]]), , drop = FALSE]
}

# Of minima closer than `spacing` frames the deeper stays.
spaced_minima_by_depth <- function(minima, size, spacing) {
  kept <- integer()
  for (row in order(size[minima$index])) {
    if (all(abs(minima$index[kept] - minima$index[row]) >= spacing)) {
      kept <- c(kept, row)
    }
  }
  minima[sort(kept), , drop = FALSE]
}

# The same result as find_end_systoles(), by EchoNet's rule. `area` of one stretch.
find_end_systoles_echonet <- function(time_s, area) {
  curve <- smooth_for_beats(time_s, area)
  c(curve, list(minima = echonet_end_systoles(area)))
}
