# Writes the FHIR reports of the asked stores: a list of paths in, a list of resources out.
library(beatbybeat)
arguments <- commandArgs(TRUE)
asked <- jsonlite::read_json(arguments[1])

resource <- function(x, ...) {
  path <- tempfile(fileext = ".json")
  report(x, path, ...)
  jsonlite::read_json(path)
}

person <- patient(name = "A. B.", id = "p-1", sex = "female", age_years = 60, height_cm = 166,
                  weight_kg = 70)
stores <- lapply(asked, function(store) {
  seg <- read_segmentation(store)
  resource(detect_beats(seg, object = seg$object_names[1]))
})
beats <- detect_beats(read_segmentation(example_store()))
two <- beats
two$view <- "A2C"
more <- list(resource(beats, patient = person), resource(echo_study(beats, two)),
             resource(echo_study(beats, two), patient = person))
json <- jsonlite::toJSON(c(stores, more), auto_unbox = TRUE, digits = NA, null = "null")
writeLines(json, arguments[2])
