# Makes inst/extdata/beat_table.csv, the table of the vignette: how well beats are found on
# simulated curves, by our method and by EchoNet's rule. Run it in `r/`:
#   Rscript data-raw/beat_table.R [curves a row, 500 by default] [cores, 1]

for (file in sort(list.files("R", "\\.R$", full.names = TRUE), method = "radix")) source(file)
source("data-raw/flow_curves.R")

asked <- c(as.integer(commandArgs(trailingOnly = TRUE)), NA, NA)
curves <- if (is.na(asked[1])) 500L else asked[1]
cores <- if (is.na(asked[2])) 1L else asked[2]

rows <- list(
  "70 bpm, clean" = list(),
  "70 bpm, 4 % noise" = list(noise = 0.04),
  "70 bpm, 6 % noise" = list(noise = 0.06),
  "160 bpm at 50 fps" = list(rate_bpm = 160, noise = 0.01),
  "110 bpm at 30 fps" = list(rate_bpm = 110, frame_rate_hz = 30, noise = 0.01),
  "atrial fibrillation, cycle SD 20 %" = list(rhythm = "af", rate_bpm = 90, noise = 0.01),
  "one ectopic beat" = list(rhythm = "ectopic", noise = 0.01),
  "EF 15-20 %, 4 % noise, drift" = list(ef_percent = c(15, 20), noise = 0.04, drift = 0.10),
  "5 % dropped frames" = list(dropped = 0.05, noise = 0.01),
  "1.5 s at 90 bpm" = list(duration_s = 1.5, rate_bpm = 90, noise = 0.01)
)

match_within_s <- 0.10
end_s <- 0.25

# Pairs true and found events one to one, nearest first: index of the found event, or NA.
pair_events <- function(true_s, found_s) {
  partner <- rep(NA_integer_, length(true_s))
  if (length(true_s) == 0L || length(found_s) == 0L) {
    return(partner)
  }
  distance <- abs(outer(true_s, found_s, "-"))
  while (min(distance) <= match_within_s) {
    at <- arrayInd(which.min(distance), dim(distance))
    partner[at[1]] <- at[2]
    distance[at[1], ] <- Inf
    distance[, at[2]] <- Inf
  }
  partner
}

# One curve by one method: counts and errors.
score_curve <- function(curve, method) {
  found <- detect_beats(curve$frames, method = method, view = "A4C")$table
  true <- curve$beats
  partner <- pair_events(true$es_s, found$es_s)
  inner <- function(t) t >= end_s & t <= curve$duration_s - end_s
  hit <- seq_len(nrow(found)) %in% partner
  matched <- which(!is.na(partner) & inner(true$es_s))
  ed_error <- found$ed_s[partner[matched]] - true$ed_s[matched]
  whole <- found$complete[partner[matched]]
  usable <- matched[whole]
  list(
    counts = c(true = sum(inner(true$es_s)), true_found = sum(!is.na(partner[inner(true$es_s)])),
               found = sum(inner(found$es_s)), found_true = sum(hit[inner(found$es_s)])),
    es_error_s = found$es_s[partner[matched]] - true$es_s[matched],
    ed_error_s = ed_error[whole],
    ef_error = if (length(usable) > 0L) {
      mean(found$ef_percent[found$complete]) -
        mean(100 * (1 - true$esv[usable] / true$edv[usable]))
    } else {
      NA_real_
    }
  )
}

score_row <- function(name, method) {
  scores <- parallel::mclapply(seq_len(curves), function(seed) {
    score_curve(do.call(flow_curve, c(list(seed), rows[[name]])), method)
  }, mc.cores = cores)
  counts <- Reduce(`+`, lapply(scores, `[[`, "counts"))
  all_of <- function(part) unlist(lapply(scores, `[[`, part))
  es_ms <- 1000 * all_of("es_error_s")
  ed_ms <- 1000 * all_of("ed_error_s")
  ef <- all_of("ef_error")
  data.frame(
    row = name, method = method, curves = curves, beats = counts[["true"]],
    sensitivity = counts[["true_found"]] / counts[["true"]],
    precision = counts[["found_true"]] / counts[["found"]],
    es_error_ms = stats::median(abs(es_ms)), es_bias_ms = stats::median(es_ms),
    ed_error_ms = stats::median(abs(ed_ms), na.rm = TRUE),
    ed_bias_ms = stats::median(ed_ms, na.rm = TRUE),
    ef_error = mean(abs(ef), na.rm = TRUE), ef_bias = mean(ef, na.rm = TRUE),
    ef_given = mean(!is.na(ef))
  )
}

table <- do.call(rbind, lapply(names(rows), function(name) {
  both <- rbind(score_row(name, "beatbybeat"), score_row(name, "echonet"))
  print(cbind(both[1:2], round(both[-(1:2)], 3)), row.names = FALSE)
  both
}))
numbers <- vapply(table, is.double, logical(1))
table[numbers] <- lapply(table[numbers], signif, digits = 4)
if (curves >= 500L) utils::write.csv(table, "inst/extdata/beat_table.csv", row.names = FALSE)
