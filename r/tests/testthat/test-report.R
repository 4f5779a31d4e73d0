page_of <- function(path, ...) {
  page <- tempfile(fileext = ".html")
  report(detect_beats(read_segmentation(path), ...), page)
  paste(readLines(page, encoding = "UTF-8"), collapse = "\n")
}

# The page without its pictures and tags.
words_of <- function(page) {
  text <- gsub("<style>.*</style>", "", page)
  text <- gsub("<[^>]*>", " ", text)
  gsub("[[:space:]]+", " ", text)
}

test_that("a page holds everything: no link, no script, nothing to fetch", {
  page <- page_of(beating_store(1, duration_s = 4, store = list(spacing_cm = c(0.25, 0.2))))
  expect_false(grepl("<script|<link|https?://|src=\"(?!data:)|url\\(", page, perl = TRUE))
  expect_identical(lengths(regmatches(page, gregexpr("data:image/png;base64,", page))), 4L)
  words <- words_of(page)
  for (said in c("Ejection fraction", "95.* interval", "complete beats", "End-diastole",
                 "End-systole", "Confidence", "Not for clinical use", "drawn ellipses",
                 "none: drawn", "SHA-256 abab", "mL")) {
    expect_match(words, said)
  }
})

test_that("its pictures are PNG", {
  page <- page_of(beating_store(1, duration_s = 2))
  from <- regexpr("data:image/png;base64,", page, fixed = TRUE)
  after <- substring(page, from + attr(from, "match.length"))
  picture <- strsplit(after, "\"", fixed = TRUE)[[1]][1]
  expect_identical(jsonlite::base64_dec(picture)[2:4], charToRaw("PNG"))
})

test_that("a frame's picture has the pixels' true aspect", {
  path <- beating_store(1, duration_s = 1, store = list(height = 40L, width = 40L,
                                                        spacing_cm = c(0.4, 0.2)))
  pictures <- read_frames(read_segmentation(path), "left_ventricle", 1L)
  pictures$rows <- pictures$columns <- 1:40
  uri <- frame_picture(pictures, 1L, "red")
  bytes <- jsonlite::base64_dec(sub("^.*,", "", uri))
  width <- sum(as.integer(bytes[17:20]) * 256^(3:0))
  height <- sum(as.integer(bytes[21:24]) * 256^(3:0))
  expect_equal(height / width, 2, tolerance = 0.01)
})

test_that("frames are cropped to what is lit or outlined, alike for all of them", {
  expect_identical(shown_range(c(rep(FALSE, 40), rep(TRUE, 10), rep(FALSE, 50))), 38:53)
  expect_identical(shown_range(c(TRUE, FALSE)), 1:2)
  expect_identical(shown_range(rep(FALSE, 5)), 1:5)
})

test_that("the page says when the EF is from an incomplete beat", {
  words <- words_of(page_of(beating_store(5, duration_s = 29 / 30, frame_rate_hz = 30,
                                          rate_bpm = 75, phase = 0.12)))
  expect_match(words, "from an incomplete beat")
  expect_match(words, "No complete beat in this clip")
  expect_false(grepl("95.{1,4}% interval", words))
})

test_that("what is not measurable has its reasons and no EF", {
  verdict <- list(left_ventricle = list(measurable = FALSE, reasons = list(
    list(code = "split_screen", message = "Two pictures share the frame.")
  )))
  path <- beating_store(1, duration_s = 2, store = list(
    status = rep(4L, 101), attributes = list(quality = verdict)
  ))
  page <- page_of(path)
  words <- words_of(page)
  expect_match(words, "Not measurable")
  expect_match(words, "Two pictures share the frame. split_screen")
  expect_false(grepl("[0-9] .?%", sub("The interval is.*", "", words)))
  expect_identical(nrow(as.data.frame(detect_beats(read_segmentation(path)))), 0L)
})

test_that("warnings are on the page: calibration, view, edge, rhythm, the store's own", {
  path <- beating_store(21, rhythm = "af", rate_bpm = 90, duration_s = 4, store = list(
    status = c(rep(0L, 20), 3L, rep(0L, 180)),
    attributes = list(view = "unknown", view_source = NULL,
                      warnings = list("The whole frame was used."))
  ))
  words <- words_of(page_of(path))
  for (said in c("No calibration", "Apical view assumed", "touch the sector", "Irregular rhythm",
                 "The whole frame was used.", "view not known")) {
    expect_match(words, said)
  }
})

test_that("parasternal views report areas, and never an EF", {
  words <- words_of(page_of(beating_store(1, duration_s = 3, store = list(
    attributes = list(view = "PSAX")
  ))))
  expect_match(words, "Fractional area change")
  expect_false(grepl("Ejection fraction|EF", words))
})

test_that("text from the store cannot become markup", {
  path <- beating_store(1, duration_s = 1, store = list(attributes = list(
    warnings = list("<script>alert('x')</script> & more")
  )))
  page <- page_of(path)
  expect_false(grepl("<script", page, fixed = TRUE))
  expect_match(page, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; more", fixed = TRUE)
})

test_that("a store without image still gets its outlines, with the reason", {
  words <- words_of(page_of(beating_store(1, duration_s = 2, store = list(with_image = FALSE))))
  expect_match(words, "The store holds no picture: left out in this test")
})

test_that("a damaged image stops the report, and no page is left", {
  path <- beating_store(1, duration_s = 2)
  for (file in list.files(file.path(path, "image"), "^[0-9]", full.names = TRUE)) flip_bit(file)
  page <- tempfile(fileext = ".html")
  expect_error(report(detect_beats(read_segmentation(path)), page),
               class = "beatbybeat_store_damaged")
  expect_false(file.exists(page))
})

test_that("a page that cannot be written is an error, not a warning", {
  beats <- detect_beats(read_segmentation(beating_store(1, duration_s = 1)))
  expect_error(report(beats, "no/such/folder/page.html"), "cannot be written",
               class = "beatbybeat_not_written")
  expect_error(report(beats_of(1), tempfile()), "comes from a data frame",
               class = "beatbybeat_bad_argument")
})
