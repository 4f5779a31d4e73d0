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
    return(lone_frame_html(beats))
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
  pictures <- read_frames(segmentation, beats$object, c(row$ed_frame, row$es_frame))
  figure <- function(which, time_s, size, name, colour, alt) {
    frame <- pictures$frames[which]
    uri <- frame_picture(pictures, which, colour)
    c("<figure>", picture_html(uri, alt),
      element("figcaption", element("b", name, class = tolower(alt)), " of ",
              if (row$complete) "beat " else "incomplete beat ", row$beat, " \u00b7 ",
              number(time_s, 2L), " s", said(size), " \u00b7 frame ", frame), "</figure>")
  }
  c(
    sprintf("<section class=\"frames\" style=\"--printed: %.0fmm\">", printed_frame_mm(beats)),
    "<div class=\"pair\">",
    figure(1L, row$ed_s, row$size_ed, "End-diastole", ink$ed_on_black, "ED"),
    figure(2L, row$es_s, row$size_es, "End-systole", ink$es_on_black, "ES"), "</div>",
    image_reason_html(segmentation), "</section>"
  )
}

# How tall frames are printed: as much as the table of beats and the strip of cycles leave.
printed_frame_mm <- function(beats) {
  free <- 3.5 * (6 - nrow(beats$table)) + if (length(beats$es_to_es_s) == 0L) 10 else 0
  clamp(26 + free, 26, 52)
}

# One frame where no beat can be shown, so that a reader sees what was outlined: of those measured
# the largest; where the object is not measurable, the middle one of those not trusted.
lone_frame_html <- function(beats) {
  frames <- beats$frames
  measured <- which(frames$usable)
  refused <- which(frames$status == 4L)
  if (length(measured) > 0L) {
    frame <- measured[which.max(frames$area[measured])]
    said <- "the largest outline of the clip"
  } else if (length(refused) > 0L) {
    frame <- refused[(length(refused) + 1L) %/% 2L]
    said <- "with an outline that was not trusted"
  } else {
    frame <- (nrow(frames) + 1L) %/% 2L
    said <- "without an outline"
  }
  pictures <- read_frames(beats$segmentation, beats$object, frame)
  uri <- frame_picture(pictures, 1L, ink$refused)
  c(
    "<section class=\"frames\">", element("h2", "A frame of the clip"), "<div class=\"pair\">",
    "<figure>", picture_html(uri, paste("A frame,", said)),
    element("figcaption", number(frames$time_s[frame], 2L), " s \u00b7 frame ", frame, ", ", said),
    "</figure>", "</div>", image_reason_html(beats$segmentation), "</section>"
  )
}

image_reason_html <- function(segmentation) {
  reason <- segmentation$attributes[["image_reason"]]
  if (!is.null(reason)) {
    element("p", "The store holds no picture: ", escape_html(reason), ".", class = "caption")
  }
}

# Masks, images and the rows and columns worth showing, the same for all the frames.
read_frames <- function(segmentation, object, frames) {
  mask <- read_mask(segmentation, frames, object)
  mask[is.na(mask)] <- FALSE
  image <- read_image(segmentation, frames)
  lit <- if (is.null(image)) array(TRUE, dim(mask)) else mask | image >= least_lit
  list(
    frames = frames, mask = mask, image = image,
    aspect = segmentation$attributes[["pixel_aspect"]],
    rows = shown_range(apply(lit, 2L, any)), columns = shown_range(apply(lit, 3L, any))
  )
}

# Grey values below this are taken for the dark outside the sector.
least_lit <- 8L

# From the first TRUE to the last, with a margin of 3 %; everything where nothing is TRUE.
shown_range <- function(lit) {
  count <- length(lit)
  if (!any(lit)) {
    return(seq_len(count))
  }
  margin <- ceiling(0.03 * count)
  seq.int(max(1L, min(which(lit)) - margin), min(count, max(which(lit)) + margin))
}

frame_picture <- function(pictures, which, colour) {
  crop <- function(stack) {
    matrix(stack[which, pictures$rows, pictures$columns], length(pictures$rows))
  }
  mask <- crop(pictures$mask)
  image <- if (!is.null(pictures$image)) crop(pictures$image)
  shape <- dim(mask) * c(pictures$aspect, 1)
  pixels <- pmax(round(shape * 900 / max(shape)), 1)
  png_data_uri(pixels[2], pixels[1], function() draw_frame(image, mask, pictures$aspect, colour))
}
