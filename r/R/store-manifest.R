# Checks the files of a store against its manifest: rules F1 to F9.

check_manifest_document <- function(manifest) {
  name <- manifest_name
  if (is_json_failure(manifest)) {
    return(finding("F2", name, manifest$reason))
  }
  if (!is_object(manifest) || !all(c("schema", "schema_version", "files") %in% names(manifest))) {
    return(finding("F2", name, "does not hold schema, schema_version and files"))
  }
  if (!identical(manifest[["schema"]], store_schema)) {
    return(finding("F2", name, "schema is not \"", store_schema, "\""))
  }
  if (!is_string(manifest[["schema_version"]])) {
    return(finding("F2", name, "schema_version is not a string"))
  }
  files <- manifest[["files"]]
  if (!is_object(files)) {
    return(finding("F2", name, "files is not an object"))
  }
  bad <- !vapply(files, is_manifest_entry, logical(1))
  findings_where(bad, "F2", rep(name, length(files)),
                 paste0("the entry of ", names(files), " is not bytes and md5"))
}

is_manifest_entry <- function(entry) {
  is_object(entry) && setequal(names(entry), c("bytes", "md5")) &&
    is_size(entry[["bytes"]]) && is_md5(entry[["md5"]])
}

is_size <- function(x) is_whole(x) && x >= 0

is_md5 <- function(x) is_string(x) && grepl("^[0-9a-f]{32}$", x)

is_supported_version <- function(version) grepl("^1\\.(0|[1-9][0-9]*)$", version)

is_later_minor <- function(version) !identical(version, "1.0")

check_paths_stay_inside <- function(files) {
  segments <- strsplit(paste0(files, "/"), "/", fixed = TRUE)
  safe <- vapply(segments, function(part) {
    length(part) > 0L && all(grepl("^[A-Za-z0-9_.-]+$", part)) && !any(part %in% c(".", ".."))
  }, logical(1))
  safe <- safe & !grepl("/$|^/|//", files) & files != manifest_name
  findings_where(!safe, "F4", rep(manifest_name, length(files)),
                 paste0("lists ", encodeString(files), ", which is not a path inside the store"))
}

# F5 to F7 for the listed `files`: presence, length, MD5.
check_listed_files <- function(path, listed, files) {
  entries <- listed[files]
  full <- file.path(path, files)
  info <- file.info(full, extra_cols = FALSE)
  there <- !is.na(info$size) & !info$isdir
  bytes <- vapply(entries, function(e) as.double(e[["bytes"]]), double(1))
  long <- there & info$size == bytes
  md5 <- rep(NA_character_, length(files))
  md5[long] <- tools::md5sum(full[long])
  expected <- vapply(entries, function(e) e[["md5"]], character(1))
  c(
    findings_where(!there, "F5", files, "is missing"),
    findings_where(there & !long, "F6", files,
                   sprintf("has %.0f bytes where the manifest says %.0f", info$size, bytes)),
    findings_where(long & !(md5 %in% expected & md5 == expected), "F7", files,
                   "has another MD5 than the manifest says")
  )
}

check_unlisted_files <- function(path, listed) {
  there <- list.files(path, all.files = TRUE, recursive = TRUE, no.. = TRUE)
  findings_where(!there %in% c(listed, manifest_name), "F8", there,
                 "is not listed in the manifest")
}

check_root_documents <- function(listed) {
  needed <- c(".zgroup", ".zattrs", ".zmetadata")
  findings_where(!needed %in% listed, "F9", needed, "is not listed in the manifest")
}
