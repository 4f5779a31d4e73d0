# Measures how often the 95 % t interval of a study holds the patient's mean EF, for few beats in
# sinus rhythm and atrial fibrillation, and what a bias of the segmentation does to it. Makes
# inst/extdata/coverage.csv, a table of a vignette. Run it in `r/`:
#   Rscript data-raw/coverage.R [studies, 2000 by default]
#
# Beats are those of data-raw/flow_curves.R. A patient's mean is that over 400 beats. A study is a
# run of neighbouring beats, each measured with an error of 2 points (SD), about that of the curves
# with 4 % noise in data-raw/beat_table.R.

for (file in c("conditions", "checks", "agreement-pairs", "bootstrap", "statistics")) {
  source(file.path("R", paste0(file, ".R")))
}
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
      interval[["high"]] - interval[["mean"]], bootstrap_held(measured, mean(ef)))
  }, double(length(biases) + 2L))
  c(held)
}

bootstrap_held <- function(measured, truth) {
  interval <- mean_interval(measured, method = "bootstrap", resamples = 500)
  interval[["low"]] <= truth && truth <= interval[["high"]]
}

table <- do.call(rbind, lapply(c("sinus", "af"), function(rhythm) {
  all <- vapply(seq_len(studies), one_study, double(length(counts) * (length(biases) + 2L)),
                rhythm = rhythm)
  shares <- matrix(rowMeans(all), length(counts), byrow = TRUE)
  data.frame(
    Rhythm = if (rhythm == "af") "atrial fibrillation" else "sinus", Beats = counts,
    shares[, seq_along(biases)], shares[, length(biases) + 1:2]
  )
}))
names(table)[-(1:2)] <- c("Unbiased", paste("Bias", biases[-1]), "Half-width (points)", "Bootstrap")
print(table, digits = 3, row.names = FALSE)
if (studies >= 2000L) {
  table[-(1:2)] <- lapply(table[-(1:2)], round, digits = 4)
  utils::write.csv(table, "inst/extdata/coverage.csv", row.names = FALSE)
}
