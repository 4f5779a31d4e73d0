# Draws the pictures of a report, and puts them into the page as base64.

# A PNG of base graphics as a data URI, or NULL where this R cannot draw PNG.
png_data_uri <- function(width, height, draw) {
  if (!capabilities("png")) {
    return(NULL)
  }
  file <- tempfile(fileext = ".png")
  on.exit(unlink(file))
  type <- if (capabilities("cairo")) "cairo" else getOption("bitmapType")
  grDevices::png(file, width, height, type = type, res = 190, pointsize = 12)
  tryCatch(draw(), finally = grDevices::dev.off())
  bytes <- readBin(file, "raw", file.size(file))
  paste0("data:image/png;base64,", gsub("\n", "", jsonlite::base64_enc(bytes)))
}

picture_html <- function(uri, description) {
  if (is.null(uri)) {
    return(element("p", "This picture is missing: this R was built without PNG.",
                   class = "caption"))
  }
  paste0("<img src=\"", uri, "\" alt=\"", description, "\">")
}

frames_html <- function(beats, shown) {
  if (is.null(shown)) {
    return(NULL)
  }
  row <- beats$measures[shown, ]
  segmentation <- beats$segmentation
  said <- function(size) {
    if (!beats$calibrated) {
      return("")
    }
    paste0(" \u00b7 ", if (beats$area_only) {
      paste0(number(size, 1L), " cm\u00b2")
    } else {
      paste0(number(size), " mL")
    })
  }
  figure <- function(frame, time_s, size, name, colour, alt) {
    uri <- frame_picture(segmentation, beats$object, frame, colour)
    c("<figure>", picture_html(uri, alt),
      element("figcaption", element("b", name, class = tolower(alt)), " \u00b7 ",
              number(time_s, 2L), " s", said(size), " \u00b7 frame ", frame), "</figure>")
  }
  reason <- segmentation$attributes[["image_reason"]]
  c(
    "<section class=\"frames\">",
    element("h2", if (row$complete) "Beat " else "Incomplete beat ", row$beat),
    "<div class=\"pair\">",
    figure(row$ed_frame, row$ed_s, row$size_ed, "End-diastole", ink$ed_on_black, "ED"),
    figure(row$es_frame, row$es_s, row$size_es, "End-systole", ink$es_on_black, "ES"), "</div>",
    if (!is.null(reason)) {
      element("p", "The store holds no picture: ", escape_html(reason), ".", class = "caption")
    },
    "</section>"
  )
}

# One frame of an object that is not measurable, so that a reader can see why.
refused_html <- function(beats) {
  outlined <- which(beats$frames$status == 4L)
  candidates <- if (length(outlined) > 0L) outlined else beats$frames$frame
  frame <- candidates[(length(candidates) + 1L) %/% 2L]
  uri <- frame_picture(beats$segmentation, beats$object, frame, "#c5cdd4")
  said <- if (length(outlined) > 0L) "with the outline that was not trusted" else "no outline"
  c(
    "<section class=\"frames\">", element("h2", "The clip"), "<div class=\"pair\">",
    c("<figure>", picture_html(uri, paste("A frame", said)),
      element("figcaption", "Frame ", frame, ", ", said), "</figure>"),
    "</div>", "</section>"
  )
}

frame_picture <- function(segmentation, object, frame, colour) {
  aspect <- segmentation$attributes[["pixel_aspect"]]
  mask <- one_frame(read_mask(segmentation, frame, object))
  image <- read_image(segmentation, frame)
  if (!is.null(image)) {
    image <- one_frame(image)
  }
  shape <- dim(mask) * c(aspect, 1)
  scale <- 900 / max(shape)
  pixels <- pmax(round(shape * scale), 1)
  png_data_uri(pixels[2], pixels[1], function() draw_frame(image, mask, aspect, colour))
}

# (1, y, x) -> (y, x)
one_frame <- function(frames) matrix(frames, dim(frames)[2], dim(frames)[3])
