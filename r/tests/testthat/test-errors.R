# What every refusal says: the argument, what it was, the cure. Those of other files' functions are
# beside their tests.
frames <- frames_of(simulate_clip(1))
beats <- detect_beats(frames, view = "A4C")
# The Rscript of a shell gives no arguments here.
in_folder <- function(message) gsub("[^ `(]*/([^/ ]+)", "\\1", message)

test_that("a curve that is none is refused: zero, missing, negative, infinite, backwards", {
  flat <- function(area) data.frame(time_s = 1:60 / 30, area = area, long_axis = 8)
  expect_snapshot(error = TRUE, detect_beats(flat(0)))
  expect_snapshot(error = TRUE, detect_beats(flat(NaN)))
  expect_snapshot(error = TRUE, detect_beats(flat(-3)))
  expect_snapshot(error = TRUE, detect_beats(flat(Inf)))
  expect_snapshot(error = TRUE, detect_beats(flat(3)[60:1, ]))
  expect_snapshot(error = TRUE, detect_beats(flat(3)[0, ]))
  expect_snapshot(error = TRUE, detect_beats(cbind(flat(3), status = 9L)))
  expect_snapshot(error = TRUE, detect_beats(cbind(flat(3), diameters = 2),
                                             volume_method = "disks"))
  expect_snapshot(error = TRUE, detect_beats(flat(3), calibrated = "yes"))
  expect_snapshot(error = TRUE, detect_beats(flat(3), view = "a4c"))
  expect_snapshot(error = TRUE, detect_beats(flat(3), ecg_triggers_s = 1))
  expect_snapshot(error = TRUE, detect_beats(flat(3), ecg_triggers_s = c(2, 1)))
})

test_that("no beat, half a beat and one beat are results with a reason, and no error", {
  flat <- detect_beats(data.frame(time_s = 1:60 / 30, area = 3, long_axis = 8), view = "A4C")
  half <- beats_of(5, duration_s = 0.5, frame_rate_hz = 30, phase = 0.12)
  one <- beats_of(1, duration_s = 1.5, phase = 0.85)
  expect_identical(sum(one$table$complete), 1L)
  codes <- lapply(list(flat, half, one), function(b) b$warnings$code)
  expect_true("no_complete_beat" %in% codes[[1]] && "no_complete_beat" %in% codes[[2]])
  expect_true("few_beats" %in% codes[[3]])
  expect_true(is.na(summary(flat)$ef_percent) && is.na(summary(one)$ef_low))
  expect_identical(unique(study_measures(flat)$reason), "no_beat")
  expect_snapshot(flat)
  expect_snapshot(summary(one))
})

test_that("what is said of a patient is checked", {
  expect_snapshot(error = TRUE, patient(sex = "F"))
  expect_snapshot(error = TRUE, patient(bsa_m2 = -1.9))
  expect_snapshot(error = TRUE, patient(age_years = 230))
  expect_snapshot(error = TRUE, patient(name = ""))
  expect_snapshot(error = TRUE, body_surface_area(170, 70, "boyd"))
  expect_snapshot(error = TRUE, body_surface_area(170, 7000))
  expect_snapshot(error = TRUE, interpret_ef(48, sex = "other"))
  expect_snapshot(error = TRUE, interpret_ef(480))
  expect_snapshot(error = TRUE, normal_ranges("x"))
})

test_that("averaging and uncertainty refuse what they cannot use", {
  expect_snapshot(error = TRUE, within_patient_sd(1:3, 1:3))
  expect_snapshot(error = TRUE, within_patient_sd(1:3, NULL))
  expect_snapshot(error = TRUE, beats_needed(4, 0))
  expect_snapshot(error = TRUE, segmentation_uncertainty(frames))
  expect_snapshot(error = TRUE, segmentation_uncertainty(beats, shared = 2))
  expect_snapshot(error = TRUE, segmentation_uncertainty(beats, simulations = 5))
  expect_snapshot(error = TRUE, segmentation_uncertainty(beats, relative_sd = function(c) "x"))
  expect_snapshot(error = TRUE, beat_measures(frames))
  expect_snapshot(error = TRUE, study_measures(frames))
  expect_snapshot(error = TRUE, plot(beats, what = "strip"))
})

test_that("AUC refuses groups that are too small or not one for a patient", {
  expect_snapshot(error = TRUE, auc_delong(1:4, c(TRUE, FALSE, FALSE, FALSE)))
  expect_snapshot(error = TRUE, auc_delong(1:4, 1:4))
  expect_snapshot(error = TRUE, auc_delong(1:4, c(TRUE, FALSE, TRUE, FALSE), c(1, 1, 2, 3)))
  expect_snapshot(error = TRUE, auc_delong(1:4, c(TRUE, TRUE, FALSE, FALSE), tells = "both"))
  expect_snapshot(error = TRUE, bland_altman(1:4, 4:1, subject = c(1, 1, 2, 3)))
})

test_that("views that do not belong together are refused", {
  view <- function(view, key = NULL, ...) {
    read_segmentation(beating_store(..., store = list(
      spacing_cm = c(0.12, 0.12), with_image = FALSE,
      attributes = list(view = view, subject_key = key)
    )))
  }
  four <- view("A4C", "s-1", 1)
  expect_snapshot(error = TRUE, echo_study(four, view("A2C", "s-2", 1)))
  expect_snapshot(error = TRUE, echo_study(four, view("A2C", "s-1", 2, rate_bpm = 110)))
  expect_snapshot(error = TRUE, echo_study(view("A2C", "s-1", 1), four))
  expect_snapshot(error = TRUE, echo_study(four, 3))
  expect_snapshot(error = TRUE, echo_study(four, detect_beats(frames)))
  expect_snapshot(error = TRUE, echo_study(four, four, rate_tolerance_percent = -1))
  expect_snapshot(error = TRUE, echo_study("lost.zarr", four), transform = in_folder)
})

test_that("reports and batches say what is wrong", {
  expect_snapshot(error = TRUE, report(beats, "x.html"))
  expect_snapshot(error = TRUE, report(frames, "x.html"))
  expect_snapshot(error = TRUE, report(detect_beats(read_segmentation(example_store())), "x.docx"))
  expect_snapshot(error = TRUE, report(detect_beats(read_segmentation(example_store())), 3))
  expect_snapshot(error = TRUE, print_pdf("a.html", "b.pdf", printers = "no-such-printer"))
  expect_snapshot(error = TRUE, analyse_batch("no-such.json", "x"), transform = in_folder)
  expect_snapshot(error = TRUE, analyse_batch("a.json"))
  expect_snapshot(error = TRUE, write_text("x", "no-such-folder/x.html"))
})

test_that("the command line says what is wrong in one line", {
  said <- function(...) main(c(...), quit = FALSE)
  expect_snapshot(said())
  expect_snapshot(said("a.zarr", "b.zarr"))
  expect_snapshot(said("a.zarr", "--fast"))
  expect_snapshot(said("a.zarr", "--report"))
  expect_snapshot(said("--help"))
})

test_that("every invalid conformance store is refused by name, rule and cure", {
  folder <- conformance_folder("invalid")
  skip_if(is.null(folder), "shared_data_spec is not beside the package (tested from a tarball)")
  for (store in list.files(folder, full.names = TRUE)) {
    said <- tryCatch(read_segmentation(store), beatbybeat_error = identity)
    if (inherits(said, "beatbybeat_segmentation")) next # rules of masks and images, read later
    expect_match(conditionMessage(said), basename(store), fixed = TRUE, info = basename(store))
    expect_match(class(said)[1], "^beatbybeat_store_", info = basename(store))
  }
})
