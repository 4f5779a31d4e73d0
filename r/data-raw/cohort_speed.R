# Times analyse_cohort() on many stores: 50 drawn clips of 3 s at 50 frames per second, each under
# many names (links). Only curves are read. Run it in `r/`, with the package installed:
#   Rscript data-raw/cohort_speed.R [stores, 10000 by default] [processes, 2]

library(beatbybeat)
source("tests/testthat/helper-curves.R")
source("tests/testthat/helper-store.R")

asked <- c(as.integer(commandArgs(trailingOnly = TRUE)), NA, NA)
count <- if (is.na(asked[1])) 10000L else asked[1]
workers <- if (is.na(asked[2])) 2L else asked[2]

folder <- tempfile("cohort-")
dir.create(folder)
drawn <- vapply(1:50, function(seed) {
  path <- file.path(folder, "drawn", paste0(seed, ".zarr"))
  write_beating_store(path, seed, duration_s = 3, store = list(height = 16L, width = 16L,
                                                               with_image = FALSE))
  path
}, "")
stores <- file.path(folder, sprintf("clip%05d.zarr", seq_len(count)))
invisible(file.symlink(rep(drawn, length.out = count), stores))

one <- system.time(for (store in drawn) {
  summary(detect_beats(read_segmentation(store)))
})
cat(sprintf("one store: %.0f ms elapsed, %.0f ms of processor time\n",
            1000 * one[["elapsed"]] / 50, 1000 * (one[["user.self"]] + one[["sys.self"]]) / 50))
all <- system.time(results <- analyse_cohort(stores, workers = workers, progress = FALSE))
cat(sprintf("%d stores, %d processes: %.0f s elapsed; %d with an EF, %d failed\n", count, workers,
            all[["elapsed"]], sum(is.finite(results$ef_percent)), sum(!is.na(results$error))))
