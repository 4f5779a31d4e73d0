# Tells the rhythm from cycle lengths: regular or not, premature beats, and which beats count.
#
# A cycle is the time from one end-systole to the next: a surrogate of RR, and never called so.

irregular_cv <- 0.10

# Cycles that are left once premature beats are taken out must be this alike for the rhythm to be
# regular but for those; in atrial fibrillation they are not.
regular_rest_cv <- 0.06

premature_share <- 0.80

is_irregular <- function(cycles_s) stats::sd(cycles_s) / mean(cycles_s) > irregular_cv

# "regular"; "regular with premature beats"; "irregular" (coefficient of variation above 0.10 that
# no premature beat explains); NA below three cycles.
rhythm_of <- function(cycles_s) {
  if (length(cycles_s) < 3L) {
    return(NA_character_)
  }
  if (!is_irregular(cycles_s)) {
    return("regular")
  }
  early <- is_premature(cycles_s)
  after <- follows(early)
  rest <- cycles_s[!early & !after]
  paused <- cycles_s[after & !early] >= stats::median(cycles_s)
  alike <- length(rest) >= 3L && stats::sd(rest) / mean(rest) <= regular_rest_cv
  if (any(early) && alike && all(paused)) "regular with premature beats" else "irregular"
}

# TRUE for each cycle shorter than 0.80 of the median of the up to five before it; where fewer than
# two are before it, of all the cycles.
is_premature <- function(cycles_s) {
  vapply(seq_along(cycles_s), function(k) {
    before <- utils::tail(cycles_s[seq_len(k - 1L)], 5L)
    usual <- stats::median(if (length(before) < 2L) cycles_s else before)
    length(cycles_s) >= 3L && cycles_s[k] < premature_share * usual
  }, logical(1))
}

follows <- function(flags) c(FALSE, flags[-length(flags)])[seq_along(flags)]

# For each beat of a clip, beats of one stretch in order of time: the cycle before it (NA for the
# first of a stretch), is it premature, does it follow a premature one.
beat_rhythm <- function(es_s, stretch) {
  cycle_before_s <- rep(NA_real_, length(es_s))
  premature <- rep(FALSE, length(es_s))
  after_premature <- premature
  for (rows in split(seq_along(es_s), stretch)) {
    cycles_s <- diff(es_s[rows])
    early <- c(FALSE, is_premature(cycles_s))
    cycle_before_s[rows[-1]] <- cycles_s
    premature[rows] <- early
    after_premature[rows] <- follows(early) & !early
  }
  list2DF(list(cycle_before_s = cycle_before_s, premature = premature,
               after_premature = after_premature))
}

# The index-beat rule for atrial fibrillation: beats after two cycles that differ by 60 ms or less.
index_difference_s <- 0.060

is_index_beat <- function(cycle_before_s, stretch) {
  count <- length(cycle_before_s)
  earlier_s <- c(NA_real_, cycle_before_s[-count])[seq_len(count)]
  new_stretch <- c(TRUE, diff(stretch) != 0)[seq_len(count)]
  alike <- abs(cycle_before_s - earlier_s) <= index_difference_s + 1e-9
  !new_stretch & !is.na(alike) & alike
}
