# Validates and opens every store of a list, and says what it found: paths in, verdicts out.

library(beatbybeat)
files <- commandArgs(TRUE)
paths <- unlist(jsonlite::fromJSON(files[1], simplifyVector = FALSE))

open_all <- function(path) {
  segmentation <- read_segmentation(path)
  frames <- seq_along(segmentation$frame_time_s)
  for (object in segmentation$object_names) {
    read_mask(segmentation, frames, object)
  }
  read_image(segmentation, frames)
  list(class = "", message = "")
}

verdicts <- lapply(paths, function(path) {
  findings <- validate_segmentation(path)
  refused <- tryCatch(open_all(path), error = function(e) {
    list(class = class(e)[1], message = conditionMessage(e))
  })
  list(store = path, codes = as.list(unique(findings$code)), refused = refused)
})
writeLines(jsonlite::toJSON(verdicts, auto_unbox = TRUE), files[2])
