# Measures each beat: end-diastoles beside every end-systole, what is complete, sizes, confidence.
#
# *When* and *how large* come from two curves. The times are extremes of the widely smoothed area,
# in which end-systoles were found: the end-systole is its minimum within 0.08 s of the one
# detected, the end-diastole its maximum between end-systoles. The sizes (volume, or area where the
# view allows no volume) are read at those times off parabolas through the measured frames, the
# wider the noisier the curve. Extremes of the measured curve itself, however it is smoothed, are
# extremes of its noise too: on the curves of data-raw/beat_table.R a cubic over 0.25 T
# overestimated EF by 0.9 points without noise, 3.5 with 6 % of it and 5.8 where EF is 15 to 20 %;
# this way by 0.1, 0.6 and 0.7.

es_search_s <- 0.08

default_cycle_s <- 0.8

# Half the width that sizes are read over. For a parabola around an extreme the best width grows
# with the 2/9th power of the noise, here a share of the curve's range.
measure_half_s <- function(cycle_s, noise_share) {
  cycle_s <- if (is.na(cycle_s)) default_cycle_s else cycle_s
  cycle_s * min(0.18 * noise_share^(2 / 9), 0.21)
}

# An end-diastole at a clip's or stretch's edge is inside only where the curve falls again beyond
# it, by this share of the curve's range: before the end-systole, and after it (where diastasis can
# look like an end). A share of the beat's own amplitude would not do: where a clip begins late in
# ejection, that is small, and a ripple at the edge would pass for an end-diastole. Nor is it inside
# within half a smoothing window of the edge, where the curve's first frames may pass for outliers.
least_fall <- c(before = 0.10, after = 0.15)

least_from_edge_s <- narrow_window_s / 2

# Where it is not inside, the edge still serves for an EF labelled incomplete if it lies this far
# from the end-systole: ejection takes about 0.3 s, filling longer.
least_edge_s <- c(before = 0.25, after = 0.40)

# One stretch of frames: a data frame with one row per end-systole, indices into the stretch.
# `value` is the widely smoothed area.
locate_beats <- function(time_s, value, minima) {
  es <- vapply(minima$index, function(i) {
    near <- which(abs(time_s - time_s[i]) <= es_search_s + 1e-9)
    near[which.min(value[near])]
  }, integer(1))
  kept <- !duplicated(es)
  es <- es[kept]
  count <- length(es)
  range <- curve_range(value)
  beats <- lapply(seq_len(count), function(k) {
    low <- if (k > 1L) es[k - 1L] else 1L
    high <- if (k < count) es[k + 1L] else length(value)
    before <- low - 1L + which.max(value[low:es[k]])
    after <- es[k] - 1L + which.max(value[es[k]:high])
    sides <- c(
      before = side_state(time_s, value, es[k], before, low, range, k > 1L, "before"),
      after = side_state(time_s, value, es[k], after, high, range, k < count, "after")
    )
    list(es[k], before, after, sides[["before"]], sides[["after"]])
  })
  column <- function(i, type) vapply(beats, function(beat) beat[[i]], type)
  list2DF(list(
    es = es, before = column(2L, 1L), after = column(3L, 1L), before_state = column(4L, ""),
    after_state = column(5L, ""), prominence = minima$prominence[kept]
  ))
}

# "inside", "edge" (usable for an incomplete beat) or "unseen".
side_state <- function(time_s, size, es, ed, limit, range, inner, side) {
  if (inner) {
    return("inside")
  }
  fall <- size[ed] - min(size[ed:limit])
  from_edge_s <- abs(time_s[ed] - time_s[limit])
  if (fall >= least_fall[[side]] * range && from_edge_s >= least_from_edge_s) {
    return("inside")
  }
  if (abs(time_s[ed] - time_s[es]) >= least_edge_s[[side]]) "edge" else "unseen"
}

# The end-diastole that an EF is taken from: the one before the end-systole where it is inside,
# else the one after; at the edges the larger that is usable; else none (NA).
choose_end_diastole <- function(located, value) {
  edge_or_none <- function(k) {
    states <- c(located$before_state[k], located$after_state[k])
    sides <- c(located$before[k], located$after[k])[states == "edge"]
    if (length(sides) == 0L) NA_integer_ else sides[which.max(value[sides])]
  }
  chosen <- ifelse(located$before_state == "inside", located$before, located$after)
  open <- located$before_state != "inside" & located$after_state != "inside"
  chosen[open] <- vapply(which(open), edge_or_none, integer(1))
  as.integer(chosen)
}

# Two ways to place the beats of a stretch. Each is a function of time_s and area that gives `found`
# (see find_end_systoles()) and `located`, with the times `before_s` and `after_s` of the ED.
locate_by_minima <- function(find) {
  function(time_s, area) {
    found <- find(time_s, area)
    located <- locate_beats(time_s, found$value, found$minima)
    located$before_s <- exact_times(time_s, found$value, located$before)
    located$after_s <- exact_times(time_s, found$value, located$after)
    list(found = found, located = located)
  }
}

# Beats from one R wave to the next; both must lie inside the stretch.
locate_by_triggers <- function(triggers_s) {
  function(time_s, area) {
    found <- smooth_for_beats(time_s, area)
    value <- found$value
    inside <- triggers_s[triggers_s >= time_s[1] - 1e-9 &
                           triggers_s <= time_s[length(time_s)] + 1e-9]
    count <- if (length(time_s) < 5L) 0L else max(0L, length(inside) - 1L)
    nearest <- vapply(inside, function(t) which.min(abs(time_s - t)), integer(1))
    before <- nearest[seq_len(count)]
    after <- nearest[seq_len(count) + 1L]
    es <- vapply(seq_len(count), function(k) {
      before[k] - 1L + which.min(value[before[k]:after[k]])
    }, integer(1))
    state <- rep("inside", count)
    located <- data.frame(
      es = es, before = before, after = after, before_state = state, after_state = state,
      prominence = pmin(value[before], value[after]) - value[es],
      before_s = inside[seq_len(count)], after_s = inside[seq_len(count) + 1L]
    )
    list(found = found, located = located[es > before & es < after, ])
  }
}

exact_times <- function(time_s, value, index) {
  vapply(index, function(i) if (is.na(i)) NA_real_ else refine_extreme(time_s, value, i),
         double(1))
}

# Everything about one stretch. `frames` are the clip's frames in it; `curves` the whole clip's
# time_s, area and size (the curve to be measured) by frame. Returns the beats and the curve that
# sizes are read from.
measure_stretch <- function(frames, curves, locate) {
  time_s <- curves$time_s[frames]
  placed <- locate(time_s, curves$area[frames])
  found <- placed$found
  located <- placed$located
  ed <- choose_end_diastole(located, found$value)
  complete <- located$before_state == "inside" & located$after_state == "inside"
  cleaned <- list(size = hampel(time_s, curves$size[frames], ends = FALSE), area = found$cleaned)
  half_s <- measure_half_s(found$cycle_s, found$noise / max(found$range, .Machine$double.eps))
  read <- function(which, at_s) {
    out <- rep(NA_real_, length(at_s))
    known <- !is.na(at_s)
    out[known] <- pmax(0, local_parabola(time_s, cleaned[[which]], at_s[known], half_s))
    out
  }
  ed_s <- ifelse(is.na(ed), NA_real_, ifelse(ed == located$before, located$before_s,
                                             located$after_s))
  es_s <- exact_times(time_s, found$value, located$es)
  next_ed_s <- located$after_s
  beats <- list2DF(list(
    ed_s = ed_s, es_s = es_s, next_ed_s = next_ed_s,
    cycle_s = ifelse(complete, next_ed_s - located$before_s, NA_real_),
    size_ed = read("size", ed_s), size_es = read("size", es_s),
    area_ed = read("area", ed_s), area_es = read("area", es_s),
    ed_frame = frames[ed], es_frame = frames[located$es], complete = complete,
    edge = !is.na(ed) & !complete & located$before_state != "inside" &
      located$after_state != "inside",
    prominence = located$prominence
  ))
  parts <- stretch_confidence(beats, located, time_s, found, curves$confidence[frames],
                              curves$usable, curves$time_s)
  list(
    beats = list2DF(c(beats, parts)), frames = frames,
    size = local_parabola(time_s, cleaned$size, time_s, half_s),
    area = local_parabola(time_s, cleaned$area, time_s, half_s),
    slope = slope_of(time_s, cleaned$size, found$cycle_s),
    cycle_s = found$cycle_s, correlation = found$correlation, flickers = flickers(found)
  )
}

# Change of size per second: central differences of a cubic over 0.2 T (0.10 to 0.20 s).
slope_of <- function(time_s, size, cycle_s) {
  count <- length(size)
  if (count < 5L) {
    return(rep(NA_real_, count))
  }
  window_s <- clamp(0.2 * (if (is.na(cycle_s)) default_cycle_s else cycle_s), 0.10, 0.20)
  smooth <- smooth_cubic(time_s, size, window_s)
  to <- pmin(seq_len(count) + 1L, count)
  from <- pmax(seq_len(count) - 1L, 1L)
  (smooth[to] - smooth[from]) / (time_s[to] - time_s[from])
}
