# Reads one store and writes every value of it, in C order, as text that loses no digit.

library(beatbybeat)
files <- commandArgs(TRUE)
path <- jsonlite::fromJSON(files[1])
segmentation <- read_segmentation(path)
frames <- seq_along(segmentation$frame_time_s)

told <- function(values) {
  shape <- if (is.null(dim(values))) length(values) else dim(values)
  ordered <- if (is.null(dim(values))) values else aperm(values)
  text <- sprintf("%.17g", as.double(ordered))
  text[is.na(as.vector(ordered))] <- "NaN"
  list(shape = I(shape), values = I(text))
}

masks <- lapply(segmentation$object_names, function(object) {
  told(read_mask(segmentation, frames, object))
})
image <- read_image(segmentation, frames)
curves <- c("frame_time_s", "status", "area_px", "long_axis_px", "disk_diameter_px", "confidence",
            "area_cm2", "long_axis_cm", "disk_diameter_cm")
answer <- list(
  object_names = I(segmentation$object_names),
  curves = lapply(Filter(Negate(is.null), unclass(segmentation)[curves]), told),
  masks = I(masks),
  image = if (!is.null(image)) told(image),
  single_frame = told(read_mask(segmentation, max(frames), segmentation$object_names[1])),
  attributes = segmentation$attributes
)
writeLines(jsonlite::toJSON(answer, auto_unbox = TRUE, null = "null", digits = NA), files[2])
