# Checks the values in a store: rules D1 to D13.

data_tolerance <- 1e-4

# Reads every curve: a list with `values` by name, and the D1 findings.
read_curves <- function(path, documents) {
  arrays <- intersect(curve_arrays, known_arrays_in(documents))
  values <- lapply(stats::setNames(arrays, arrays), function(name) {
    read_curve(path, name, documents[[paste0(name, "/.zarray")]])
  })
  failed <- vapply(values, is.character, logical(1))
  keys <- vapply(arrays, function(name) {
    paste0(name, "/", chunk_keys(documents[[paste0(name, "/.zarray")]]))
  }, character(1))
  findings <- findings_where(failed, "D1", unname(keys), vapply(values, function(v) {
    if (is.character(v)) v else ""
  }, character(1)))
  list(values = values, findings = findings)
}

# TRUE where two numbers differ by more than float32 rounding, or one alone is missing.
differ <- function(a, b) {
  missing <- is.na(a) | is.na(b)
  apart <- abs(a - b) > data_tolerance * pmax(abs(a), abs(b))
  ifelse(missing, is.na(a) != is.na(b), apart)
}

measure_arrays <- function(curves) {
  intersect(c("area_px", "long_axis_px", "disk_diameter_px", calibrated_arrays), names(curves))
}

# Where the object-by-frame condition `bad` holds, says the first frame that breaks the rule.
frame_finding <- function(bad, code, where, message) {
  bad <- which(bad & !is.na(bad), arr.ind = TRUE)
  if (length(bad) == 0L) {
    return(no_findings)
  }
  frame <- if (is.matrix(bad)) bad[1, 2] else bad[1]
  finding(code, where, message, " (first in frame ", frame - 1L, ", counted from 0)")
}

check_times_of <- function(frame_time, root) {
  if (any(!is.finite(frame_time))) {
    return(frame_finding(!is.finite(frame_time), "D2", "frame_time", "is not finite"))
  }
  step <- diff(frame_time)
  if (any(step <= 0)) {
    return(frame_finding(c(FALSE, step <= 0), "D3", "frame_time", "does not increase"))
  }
  rate <- root[["frame_rate_hz"]]
  if (length(step) > 0L && abs(rate * stats::median(step) - 1) > 1e-3) {
    return(finding("D4", "frame_time", "does not have the frame rate of ", format(rate),
                   " Hz that frame_rate_hz says"))
  }
  no_findings
}

# TRUE for each (object, frame) where any disk fulfils `test`.
any_disk <- function(values, test) {
  bad <- test(values)
  if (length(dim(values)) == 3L) apply(bad, c(1L, 2L), any) else bad
}

check_curves <- function(curves, root) {
  status <- curves$status
  findings <- check_times_of(curves$frame_time, root)
  if (any(status > 4L)) {
    return(c(findings, frame_finding(status > 4L, "D6", "status", "is above 4")))
  }
  c(
    findings,
    check_measured_frames(curves, status %in% c(0L, 3L, 4L) & TRUE),
    check_empty_frames(curves),
    frame_finding(curves$confidence < 0 | curves$confidence > 1, "D10", "confidence",
                  "is not between 0 and 1"),
    check_twins(curves, root),
    check_quality_status(status, root)
  )
}

check_measured_frames <- function(curves, measured) {
  dim(measured) <- dim(curves$status)
  unlist(lapply(c(measure_arrays(curves), "confidence"), function(name) {
    not_finite <- any_disk(curves[[name]], function(v) !is.finite(v))
    negative <- any_disk(curves[[name]], function(v) !is.na(v) & v < 0)
    if (startsWith(name, "area")) {
      negative <- negative | (!is.na(curves[[name]]) & curves[[name]] == 0)
    }
    if (name == "confidence") {
      negative <- FALSE & negative
    }
    frame_finding(measured & (not_finite | negative), "D7", name,
                  "is missing, negative or an area of 0 in a measured frame")
  }), recursive = FALSE)
}

check_empty_frames <- function(curves) {
  none <- curves$status == 1L
  undecoded <- curves$status == 2L
  # The arrays in centimetres follow their twins in pixels: rule D12.
  findings <- lapply(setdiff(measure_arrays(curves), calibrated_arrays), function(name) {
    value <- curves[[name]]
    missing <- any_disk(value, is.na)
    present <- any_disk(value, function(v) !is.na(v))
    not_empty <- if (name == "area_px") missing | value != 0 else present
    c(
      frame_finding(none & not_empty, "D8", name, "is not empty where the status is 1"),
      frame_finding(undecoded & present, "D9", name, "is not NaN where the status is 2")
    )
  })
  c(
    unlist(findings, recursive = FALSE),
    frame_finding(undecoded & !is.na(curves$confidence), "D9", "confidence",
                  "is not NaN where the status is 2")
  )
}

check_twins <- function(curves, root) {
  spacing <- root[["spacing_cm"]]
  if (is.null(spacing)) {
    return(no_findings)
  }
  column_cm <- spacing[[2]]
  factors <- c(area_cm2 = column_cm^2, long_axis_cm = column_cm, disk_diameter_cm = column_cm)
  twins <- c(area_cm2 = "area_px", long_axis_cm = "long_axis_px",
             disk_diameter_cm = "disk_diameter_px")
  unlist(lapply(names(factors), function(name) {
    expected <- curves[[twins[[name]]]] * factors[[name]]
    wrong <- differ(curves[[name]], expected)
    dim(wrong) <- dim(curves[[name]])
    frame_finding(any_disk(wrong, identity), "D12", name,
                  paste0("is not ", twins[[name]], " with the column spacing"))
  }), recursive = FALSE)
}

check_quality_status <- function(status, root) {
  unlist(lapply(seq_along(root[["object_names"]]), function(object) {
    name <- root[["object_names"]][[object]]
    measured <- status[object, ] %in% c(0L, 3L)
    if (!root[["quality"]][[name]][["measurable"]]) {
      frame_finding(measured, "D13", "status",
                    paste0("is 0 or 3 although ", name, " is not measurable"))
    }
  }), recursive = FALSE)
}

# D1, D5, D8, D9 and D11 of the mask, and D1 of the image, one chunk at a time.
check_pictures <- function(path, documents) {
  arrays <- intersect(picture_arrays, known_arrays_in(documents))
  pixels <- array(NA_real_, shape_of("status", documents))
  findings <- no_findings
  beyond <- FALSE & pixels
  for (name in arrays) {
    meta <- documents[[paste0(name, "/.zarray")]]
    for (key in chunk_keys(meta)) {
      chunk <- read_picture_chunk(path, name, meta, key)
      if (is.character(chunk)) {
        findings <- c(findings, finding("D1", paste0(name, "/", key), chunk))
      } else if (name == "mask") {
        index <- as.integer(strsplit(key, ".", fixed = TRUE)[[1]])
        frames <- index[2] * picture_lengths(meta)$chunk_frames + seq_len(ncol(chunk))
        pixels[index[1] + 1L, frames] <- colSums(chunk != as.raw(0L))
        beyond[index[1] + 1L, frames] <- colSums(chunk > as.raw(1L)) > 0
      }
    }
  }
  list(findings = findings, pixels = pixels, beyond = beyond)
}

# `found` are the findings about the curves: D11 is checked only where D7 holds.
check_masks <- function(pictures, curves, root, found) {
  status <- curves$status
  beyond <- frame_finding(pictures$beyond, "D5", "mask", "holds a value other than 0 and 1")
  if (length(beyond) > 0L || any(status > 4L)) {
    return(beyond)
  }
  filled <- pictures$pixels > 0
  findings <- c(
    frame_finding(status == 1L & filled, "D8", "mask", "is not empty where the status is 1"),
    frame_finding(status == 2L & filled, "D9", "mask", "is not empty where the status is 2")
  )
  if (any(vapply(found, function(f) f$code == "D7", logical(1)))) {
    return(findings)
  }
  measured <- array(status %in% c(0L, 3L, 4L), dim(status))
  expected <- pictures$pixels * root[["pixel_aspect"]]
  wrong <- measured & array(differ(curves$area_px, expected), dim(status))
  c(findings, frame_finding(wrong, "D11", "area_px",
                            "is not the mask's pixel count times pixel_aspect"))
}
