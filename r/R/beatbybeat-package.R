#' beatbybeat: beats, volumes and ejection fraction from echo segmentations
#'
#' A segmentation store (`<clip>.zarr`) holds what was measured in one echo clip. The usual way:
#'
#' ```
#' segmentation <- read_segmentation("clip.zarr")
#' beats <- detect_beats(segmentation)
#' summary(beats)
#' report(beats, "report.html")
#' ```
#'
#' [echo_study()] joins two views into biplane volumes, [analyse_cohort()] goes through folders of
#' stores, [bland_altman()] and its kin judge the agreement of methods.
#'
#' Time is in seconds throughout. Volumes are in mL only where the clip was calibrated; without
#' calibration they are relative to the clip's largest end-diastolic volume. What could not be
#' measured is `NA` with a reason, never zero.
#'
#' Files stand on floors, and each knows only those below it: conditions and checks; the store;
#' pure maths on numeric vectors; beats, summaries and plots; reports and the command line.
#'
#' For research. Not for clinical use.
#'
#' @keywords internal
"_PACKAGE"
