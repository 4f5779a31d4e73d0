# Measures how often the 95 % t interval of a study holds the patient's mean EF, for few beats in
# sinus rhythm and atrial fibrillation, and what a bias of the segmentation does to it. Run in `r/`:
#   Rscript data-raw/coverage.R [studies, 2000 by default]
#
# Beats are those of data-raw/flow_curves.R. A patient's mean is that over 400 beats. A study is a
# run of neighbouring beats, each measured with an error of 2 points (SD), about that of the curves
# with 4 % noise in data-raw/beat_table.R.

for (file in c("conditions", "checks", "statistics")) source(file.path("R", paste0(file, ".R")))
source("data-raw/flow_curves.R")

studies <- c(as.integer(commandArgs(trailingOnly = TRUE)), 2000L)[1]
error_sd <- 2
counts <- c(3L, 5L, 8L)
biases <- c(0, 1, 2, 4)

one_study <- function(seed, rhythm) {
  set.seed(seed)
  rate_bpm <- if (rhythm == "af") stats::runif(1, 70, 110) else stats::runif(1, 55, 90)
  beats <- draw_beats(rhythm, rate_bpm, 400 * 60 / rate_bpm, stats::runif(1, 25, 68))
  ef <- 100 * (1 - beats$esv / beats$edv)
  first <- sample.int(length(ef) - max(counts), 1L)
  held <- vapply(counts, function(n) {
    measured <- ef[first + seq_len(n)] + stats::rnorm(n, sd = error_sd)
    interval <- mean_interval(measured)
    c(abs(interval[["mean"]] + biases - mean(ef)) <= interval[["high"]] - interval[["mean"]],
      interval[["high"]] - interval[["mean"]])
  }, double(length(biases) + 1L))
  c(held)
}

for (rhythm in c("sinus", "af")) {
  all <- vapply(seq_len(studies), one_study, double(length(counts) * (length(biases) + 1L)),
                rhythm = rhythm)
  table <- matrix(rowMeans(all), length(counts), byrow = TRUE,
                  dimnames = list(paste(counts, "beats"),
                                  c(paste("bias", biases, "points"), "half-width")))
  cat("\n", if (rhythm == "af") "atrial fibrillation" else "sinus rhythm", ", ", studies,
      " studies: share of intervals that hold the mean\n", sep = "")
  print(round(table, 3))
}
