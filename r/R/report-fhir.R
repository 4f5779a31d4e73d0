# Makes the report of a clip as FHIR R4: a preliminary DiagnosticReport that holds its Observations.

loinc <- "http://loinc.org"

# Measure of study_measures(), LOINC code and name, UCUM code. Those without a LOINC code that is
# known for sure carry their name only.
fhir_measures <- list(
  list("ef_percent", "18043-0", "Left ventricular Ejection fraction by US", "%"),
  list("edv_ml", "75988-6", "Left ventricular End-diastolic volume", "mL"),
  list("esv_ml", "75989-4", "Left ventricular End-systolic volume", "mL"),
  list("sv_ml", "20562-5", "Left ventricular Stroke volume", "mL"),
  list("heart_rate_bpm", "8867-4", "Heart rate", "/min"),
  list("cardiac_output_l_min", NULL, "Left ventricular Cardiac output", "L/min"),
  list("fac_percent", NULL, "Left ventricular Fractional area change", "%"),
  list("edv_index_ml_m2", NULL, "Left ventricular End-diastolic volume index", "mL/m2"),
  list("esv_index_ml_m2", NULL, "Left ventricular End-systolic volume index", "mL/m2")
)

fhir_code <- function(code, name) {
  if (is.null(code)) {
    return(list(text = name))
  }
  list(coding = list(list(system = loinc, code = code, display = name)), text = name)
}

fhir_quantity <- function(value, unit) {
  list(value = signif(value, 6), unit = unit, system = "http://unitsofmeasure.org", code = unit)
}

# `x`: beats or a study. Measures that the study does not have are left out.
report_fhir <- function(x, patient) {
  study <- study_measures(x, patient$bsa_m2)
  known <- Filter(function(measure) measure[[1]] %in% study$measure, fhir_measures)
  observations <- lapply(known, fhir_observation, study = study, method = method_text(x),
                         patient = patient)
  names_of <- vapply(observations, `[[`, "", "id")
  drop_nulls(list(
    resourceType = "DiagnosticReport",
    contained = observations,
    status = "preliminary",
    category = list(list(coding = list(list(
      system = "http://terminology.hl7.org/CodeSystem/v2-0074", code = "CUS",
      display = "Cardiac Ultrasound"
    )))),
    code = fhir_code("18106-5", "Cardiac echo study Procedure"),
    subject = fhir_subject(patient),
    issued = format(Sys.time(), "%Y-%m-%dT%H:%M:%SZ", tz = "UTC"),
    result = lapply(names_of, function(id) list(reference = paste0("#", id))),
    conclusion = paste(c(
      "For research. Not for clinical use. Made by software and not confirmed by a physician.",
      fhir_conclusion(x)
    ), collapse = " ")
  ))
}

fhir_conclusion <- function(x) {
  if (inherits(x, "beatbybeat_study")) {
    models <- lapply(list(x$a4c, x$a2c), function(b) b$segmentation$attributes[["model"]][["name"]])
    return(c(
      if (is.na(x$reason)) paste0("Mean over ", count_of(nrow(x$table), "pair"), " of beats."),
      paste0("Outlines by ", paste(unique(unlist(models)), collapse = " and "), "."),
      unique(x$warnings$message)
    ))
  }
  s <- summary(x)
  used <- if (identical(s$ef_source, "complete beats")) {
    paste0("Mean over ", count_of(s$n_included, "complete beat"), ".")
  } else if (is.na(s$ef_source)) {
    "No beat could be measured."
  } else {
    "From an incomplete beat."
  }
  c(used, s$warnings$message)
}

fhir_subject <- function(patient) {
  if (is.null(patient$id) && is.null(patient$name)) {
    return(NULL)
  }
  drop_nulls(list(
    identifier = if (!is.null(patient$id)) list(value = patient$id), display = patient$name
  ))
}

fhir_observation <- function(measure, study, method, patient) {
  row <- study[study$measure == measure[[1]], ]
  missing <- is.na(row$mean)
  drop_nulls(list(
    resourceType = "Observation",
    id = gsub("_", "-", measure[[1]], fixed = TRUE),
    status = "preliminary",
    code = fhir_code(measure[[2]], measure[[3]]),
    valueQuantity = if (!missing) fhir_quantity(row$mean, measure[[4]]),
    dataAbsentReason = if (missing) {
      list(coding = list(list(
        system = "http://terminology.hl7.org/CodeSystem/data-absent-reason", code = "unknown"
      )), text = row$reason)
    },
    method = list(text = method),
    device = list(display = paste("beatbybeat", package_version_text())),
    referenceRange = fhir_range(measure[[1]], patient$sex),
    component = if (!missing) fhir_components(row, measure[[4]])
  ))
}

method_text <- function(x) {
  if (inherits(x, "beatbybeat_study")) {
    return(paste0("method of disks, biplane; beats by ", beats_by(x$a4c), " (A4C) and ",
                  beats_by(x$a2c), " (A2C)"))
  }
  volume <- if (x$area_only) {
    "areas"
  } else if (x$volume_method == "disks") {
    "method of disks, single plane"
  } else {
    "area-length, single plane"
  }
  paste0(volume, "; beats by ", beats_by(x))
}

beats_by <- function(beats) {
  paste0(if (is.null(beats$triggers_s)) beats$method else "ECG triggers",
         if (!is.null(beats$edits)) ", edited by a reader")
}

fhir_range <- function(measure, sex) {
  if (is.null(sex)) {
    return(NULL)
  }
  range <- normal_ranges(sex)
  range <- range[range$measure == measure, ]
  if (nrow(range) == 0L) {
    return(NULL)
  }
  list(list(low = fhir_quantity(range$low, range$unit),
            high = fhir_quantity(range$high, range$unit),
            text = paste0("Normal, ", sex, ": ", range$source)))
}

fhir_components <- function(row, unit) {
  part <- function(name, value) list(code = list(text = name), valueQuantity = value)
  found <- list(
    if (row$n > 1) part("number of beats", fhir_quantity(row$n, "1")),
    if (!is.na(row$low)) part("95 % interval of the mean over beats, low",
                              fhir_quantity(row$low, unit)),
    if (!is.na(row$high)) part("95 % interval of the mean over beats, high",
                               fhir_quantity(row$high, unit)),
    if (!is.na(row$sd)) part("standard deviation between beats", fhir_quantity(row$sd, unit))
  )
  found <- Filter(Negate(is.null), found)
  if (length(found) > 0L) found
}

drop_nulls <- function(x) Filter(Negate(is.null), x)
