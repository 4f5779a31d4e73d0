# Gives each beat a confidence between 0 and 1, the geometric mean of parts that are all reported.
#
# It orders beats; it is not a probability.

confidence_part_names <- c("depth", "cycle", "shape", "coverage", "signal", "model")

stretch_confidence <- function(beats, located, time_s, found, model, usable, clip_time_s) {
  if (nrow(beats) == 0L) {
    return(empty_parts())
  }
  spread <- function(k) seq.int(located$before[k], located$after[k])
  parts <- list(
    depth = pmin(1, located$prominence / max(found$range, .Machine$double.eps)),
    cycle = cycle_likeness(beats$cycle_s),
    shape = shape_likeness(located, beats$complete, found$value),
    coverage = vapply(seq_len(nrow(located)), function(k) {
      span <- range(time_s[spread(k)])
      inside <- clip_time_s >= span[1] & clip_time_s <= span[2]
      mean(usable[inside])
    }, double(1)),
    signal = vapply(seq_len(nrow(located)), function(k) {
      variance <- stats::var(found$value[spread(k)])
      variance / (variance + found$noise^2 + .Machine$double.eps)
    }, double(1)),
    model = vapply(seq_len(nrow(located)), function(k) {
      mean(model[spread(k)], na.rm = TRUE)
    }, double(1))
  )
  list2DF(lapply(parts, function(part) ifelse(is.na(part), NA, part)))
}

empty_parts <- function() {
  parts <- lapply(stats::setNames(nm = confidence_part_names), function(name) double())
  as.data.frame(parts)
}

# 1 minus the relative distance from the median cycle; unknown with fewer than three cycles, or
# where the rhythm is irregular: there no cycle is the expected one.
cycle_likeness <- function(cycle_s) {
  known <- cycle_s[!is.na(cycle_s)]
  if (length(known) < 3L || is_irregular(known)) {
    return(rep(NA_real_, length(cycle_s)))
  }
  pmax(0, 1 - abs(cycle_s / stats::median(known) - 1))
}

# Correlation of each complete beat with the median beat, over its own end-diastole to the next.
shape_likeness <- function(located, complete, value) {
  likeness <- rep(NA_real_, nrow(located))
  if (sum(complete) < 3L) {
    return(likeness)
  }
  phases <- lapply(which(complete), function(k) {
    span <- seq.int(located$before[k], located$after[k])
    stats::approx(seq(0, 1, length.out = length(span)), value[span], seq(0, 1, by = 0.05))$y
  })
  phases <- do.call(rbind, phases)
  template <- apply(phases, 2L, stats::median)
  likeness[complete] <- apply(phases, 1L, function(beat) {
    if (stats::sd(beat) == 0 || stats::sd(template) == 0) 0 else stats::cor(beat, template)
  })
  pmax(likeness, 0)
}

geometric_mean <- function(parts) {
  apply(as.matrix(parts), 1L, function(row) {
    row <- row[!is.na(row)]
    if (length(row) == 0L) NA_real_ else exp(mean(log(pmax(row, 1e-6))))
  })
}
