# Makes inst/extdata/simulated.zarr again: a drawn ventricle, 30 Hz, 2.6 s. Run it in `r/`:
#   Rscript data-raw/make_example_store.R

source("tests/testthat/helper-curves.R")
source("tests/testthat/helper-store.R")

path <- "inst/extdata/simulated.zarr"
unlink(path, recursive = TRUE)
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
