# Makes inst/extdata/simulated.zarr.tar again: a drawn ventricle, 30 Hz, 2.6 s. Run it in `r/`:
#   Rscript data-raw/make_example_store.R

source("tests/testthat/helper-curves.R")
source("tests/testthat/helper-store.R")

path <- file.path(tempfile("example-"), "simulated.zarr")
write_beating_store(
  path, seed = 11, rate_bpm = 72, frame_rate_hz = 30, duration_s = 2.6, ef = 57, noise = 0.012,
  phase = 0.75,
  store = list(
    height = 80L, width = 92L, spacing_cm = c(0.135, 0.125), chunk_frames = 40L,
    attributes = list(
      model = list(
        name = "drawn ellipses", weights_sha256 = NULL, training_data = "nothing: drawn, not found",
        licence = "MIT", intended_use = "For examples and tests. Not for clinical use."
      )
    )
  )
)

# One file, because R packages may not hold files whose names begin with a dot.
target <- file.path(getwd(), "inst/extdata/simulated.zarr.tar")
setwd(dirname(path)) # nolint: undesirable_function_linter. tar() stores paths as given.
utils::tar(target, basename(path), tar = "internal")
