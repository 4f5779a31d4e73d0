# Cleans and smooths a curve sampled at true times: gaps, outliers, local cubic fits.

# Gaps up to this long (seconds not covered by a frame) are interpolated; longer ones split a clip.
longest_gap_s <- 0.10

# Splits the usable frames into stretches without a long gap: a list of frame indices.
stretches_of <- function(time_s, usable) {
  at <- which(usable)
  if (length(at) == 0L) {
    return(list())
  }
  interval_s <- if (length(time_s) > 1L) stats::median(diff(time_s)) else 0
  uncovered_s <- diff(time_s[at]) - interval_s
  unname(split(at, cumsum(c(TRUE, uncovered_s > longest_gap_s + 1e-9))))
}

# Hampel filter: a value farther than 3 scaled MADs from the median of its neighbours, within
# 0.15 s in all, gives way to that median. The MAD is floored at 0.5 % of the value, so that a
# smooth curve's steep limbs are left alone. The first and the last frame have neighbours on one
# side only, and lie apart from those on a limb: with `ends = FALSE` they stay as they are.
hampel <- function(time_s, value, window_s = 0.15, limit = 3, ends = TRUE) {
  count <- length(value)
  if (count < 3L) {
    return(value)
  }
  from <- findInterval(time_s - window_s / 2 - 1e-9, time_s) + 1L
  to <- findInterval(time_s + window_s / 2 + 1e-9, time_s)
  few <- to - from < 4L # then the five nearest
  from[few] <- pmax(1L, pmin(which(few) - 2L, count - 4L))
  to[few] <- pmin(count, from[few] + 4L)
  near <- outer(from, seq_len(max(to - from) + 1L) - 1L, "+") # (frame, neighbour)
  near[near > to] <- NA
  values <- matrix(value[near], nrow = count)
  centre <- row_medians(values)
  spread <- pmax(1.4826 * row_medians(abs(values - centre)), 0.005 * abs(centre))
  outlying <- abs(value - centre) > limit * spread
  if (!ends) {
    outlying[c(1L, count)] <- FALSE
  }
  ifelse(outlying, centre, value)
}

# The median of each row, missing values left out; one sort for all rows.
row_medians <- function(values) {
  sorted <- matrix(values[order(row(values), values)], ncol = nrow(values)) # NA last
  known <- rowSums(!is.na(values))
  at <- function(k) sorted[cbind(k, seq_along(k))]
  (at((known + 1L) %/% 2L) + at(known %/% 2L + 1L)) / 2
}

# `n` neighbouring indices around `i` (fewer in shorter vectors), shifted to stay inside 1..count.
nearest_window <- function(i, n, count) {
  n <- min(n, count)
  first <- min(max(i - n %/% 2L, 1L), count - n + 1L)
  seq.int(first, length.out = n)
}

# Savitzky-Golay smoothing at true times: at every frame the value of a least-squares cubic through
# the frames within `window_s` (at least five; one-sided at the ends).
smooth_cubic <- function(time_s, value, window_s) {
  count <- length(value)
  if (count < 5L) {
    return(value)
  }
  interval_s <- stats::median(diff(time_s))
  wanted <- max(5L, 2L * floor(window_s / interval_s / 2 + 1e-9) + 1L)
  frames <- min(wanted, count)
  if (max(abs(diff(time_s) - interval_s)) <= even_tolerance * interval_s) {
    return(smooth_even(value, frames))
  }
  vapply(seq_len(count), function(i) {
    near <- nearest_window(i, frames, count)
    t <- (time_s[near] - time_s[i]) / interval_s
    stats::.lm.fit(cbind(1, t, t^2, t^3), value[near])$coefficients[1]
  }, double(1))
}

# Frames this near to even spacing (a share of the interval) share one set of weights.
even_tolerance <- 0.02

smooth_even <- function(value, frames) {
  count <- length(value)
  basis <- qr.Q(qr(outer(seq_len(frames) - (frames + 1) / 2, 0:3, "^")))
  weights <- tcrossprod(basis) # (frames, frames): row i smooths the i-th frame of a window
  before <- frames %/% 2L
  windows <- stats::embed(value, frames) # (window, frame), the last frame first
  whole <- windows %*% rev(weights[before + 1L, ])
  head <- weights[seq_len(before), , drop = FALSE] %*% value[seq_len(frames)]
  tail <- weights[seq_len(frames)[-seq_len(before + 1L)], , drop = FALSE] %*%
    value[count - frames + seq_len(frames)]
  c(head, whole, tail)
}

# The curve at the times `at_s`: least-squares parabolas through the frames near each, weighed by
# 1 - (distance / half_s)^2. `half_s` grows until it reaches past the fourth nearest frame. (A mean
# of frames lies below a curve's top and above its bottom, and EF would be too small.)
local_parabola <- function(time_s, value, at_s, half_s) {
  count <- length(time_s)
  if (count == 0L) {
    return(rep(NA_real_, length(at_s)))
  }
  interval_s <- if (count > 1L) stats::median(diff(time_s)) else 1
  below <- pmax(findInterval(at_s, time_s), 1L)
  half_s <- pmax(half_s, interval_s, 1.2 * fourth_distance(time_s, at_s, below))
  reach <- ceiling(max(c(half_s, 0), na.rm = TRUE) / min(c(diff(time_s), interval_s))) + 1L
  near <- outer(below, seq.int(-reach, reach + 1L), "+") # (time, neighbour)
  near[near < 1L | near > count] <- NA
  distance <- (matrix(time_s[near], nrow(near)) - at_s) / half_s
  values <- matrix(value[near], nrow(near))
  weight <- 1 - distance^2
  unused <- is.na(weight) | weight < 0 | is.na(values)
  weight[unused] <- distance[unused] <- values[unused] <- 0
  m <- lapply(0:4, function(power) rowSums(weight * distance^power))
  v <- lapply(0:2, function(power) rowSums(weight * distance^power * values))
  # Cramer's rule for the parabola's height at distance 0.
  minors <- list(m[[3]] * m[[5]] - m[[4]]^2, m[[3]] * m[[4]] - m[[2]] * m[[5]],
                 m[[2]] * m[[4]] - m[[3]]^2)
  times <- function(column) Reduce(`+`, Map(`*`, column, minors))
  level <- times(m[1:3]) <= 1e-6 * m[[1]]^3 # too few frames: their mean
  as.double(ifelse(level, v[[1]] / m[[1]], times(v) / times(m[1:3])))
}

# How far the fourth nearest frame is from each of `at_s`, or the farthest of fewer. `below` is the
# last frame before each.
fourth_distance <- function(time_s, at_s, below) {
  count <- length(time_s)
  among <- min(4L, count)
  distance_s <- function(frame) {
    abs(time_s[ifelse(frame < 1L | frame > count, NA_integer_, frame)] - at_s)
  }
  do.call(pmin, c(lapply(seq_len(among) - among, function(first) {
    pmax(distance_s(below + first), distance_s(below + first + among - 1L))
  }), na.rm = TRUE))
}

# Height and time of the extreme of a parabola through frame `i` and its neighbours.
refine_extreme <- function(time_s, value, i) {
  if (i <= 1L || i >= length(value)) {
    return(time_s[i])
  }
  t <- time_s[i + (-1:1)] - time_s[i]
  v <- value[i + (-1:1)] - value[i]
  curvature <- (v[3] / t[3] - v[1] / t[1]) / (t[3] - t[1])
  slope <- v[3] / t[3] - curvature * t[3]
  if (abs(curvature) < .Machine$double.eps) {
    return(time_s[i])
  }
  time_s[i] + min(max(-slope / (2 * curvature), t[1]), t[3])
}
