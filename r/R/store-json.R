# Reads strict JSON (RFC 8259): jsonlite alone lets comments and doubled keys pass.
#
# Objects become named lists, arrays unnamed lists, and null NULL.

parse_strict_json <- function(path) {
  bytes <- readBin(path, "raw", file.size(path))
  if (any(bytes == as.raw(0L))) {
    return(json_failure("holds zero bytes"))
  }
  text <- rawToChar(bytes)
  if (!validUTF8(text)) {
    return(json_failure("is not UTF-8"))
  }
  Encoding(text) <- "UTF-8"
  value <- tryCatch(
    jsonlite::parse_json(text, simplifyVector = FALSE),
    error = function(e) json_failure("is not JSON"),
    warning = function(w) json_failure("is not JSON")
  )
  if (inherits(value, "json_failure")) {
    return(value)
  }
  outside_strings <- gsub('"(\\\\.|[^"\\\\])*"', "", text, perl = TRUE)
  if (grepl("[^][{}:, \t\r\n0-9eE+.truefalsn-]", outside_strings, perl = TRUE)) {
    return(json_failure("is not strict JSON"))
  }
  if (has_doubled_key(value)) {
    return(json_failure("has a key twice"))
  }
  value
}

json_failure <- function(reason) structure(list(reason = reason), class = "json_failure")

is_json_failure <- function(x) inherits(x, "json_failure")

has_doubled_key <- function(x) {
  if (!is.list(x)) {
    return(FALSE)
  }
  anyDuplicated(names(x)) > 0L || any(vapply(x, has_doubled_key, logical(1)))
}

is_object <- function(x) is.list(x) && !is.null(names(x))
is_array <- function(x) is.list(x) && is.null(names(x))
is_string <- function(x) is.character(x) && length(x) == 1L && !is.na(x)
is_text <- function(x) is_string(x) && nzchar(x)
is_flag <- function(x) is.logical(x) && length(x) == 1L && !is.na(x)
is_number <- function(x) is.numeric(x) && length(x) == 1L && is.finite(x)
is_whole <- function(x) is_number(x) && x == round(x)

json_equal <- function(a, b) {
  if (is_object(a) && is_object(b)) {
    return(setequal(names(a), names(b)) && length(a) == length(b) &&
      all(vapply(names(a), function(key) json_equal(a[[key]], b[[key]]), logical(1))))
  }
  if (is_array(a) && is_array(b)) {
    return(length(a) == length(b) && all(as.logical(mapply(json_equal, a, b))))
  }
  if (is.numeric(a) && is.numeric(b)) {
    return(isTRUE(a == b))
  }
  identical(a, b)
}
