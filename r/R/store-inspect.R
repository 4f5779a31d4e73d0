# Takes a store through the levels F, Z, A and D, and stops after the first that has findings.

# `everything` FALSE is what opening asks for (metadata and curves), TRUE what validating does.
inspect_store <- function(path, everything) {
  stage <- function(findings, ...) list(findings = findings, path = path, ...)
  if (!dir.exists(path)) {
    said <- if (file.exists(path)) "is not a folder" else "there is no store"
    return(stage(finding("F1", ".", said)))
  }
  manifest_path <- file.path(path, manifest_name)
  if (!file.exists(manifest_path) || dir.exists(manifest_path)) {
    return(stage(finding("F1", manifest_name, "is missing")))
  }
  manifest <- parse_strict_json(manifest_path)
  findings <- check_manifest_document(manifest)
  if (length(findings) > 0L) {
    return(stage(findings))
  }
  version <- manifest[["schema_version"]]
  if (!is_supported_version(version)) {
    return(stage(finding("F3", manifest_name, "version ", encodeString(version),
                         " of the store is not supported; 1.x is")))
  }
  listed <- names(manifest[["files"]])
  findings <- check_paths_stay_inside(listed)
  if (length(findings) > 0L) {
    return(stage(findings))
  }
  findings <- check_files(path, manifest[["files"]], everything)
  if (length(findings) > 0L) {
    return(stage(findings))
  }
  inspect_contents(path, manifest[["files"]], version, everything)
}

check_files <- function(path, entries, everything) {
  listed <- names(entries)
  top <- sub("/.*$", "", listed)
  wanted <- if (everything) {
    listed
  } else {
    listed[is_document(listed) | (is_in_folder(listed) & top %in% curve_arrays)]
  }
  c(
    check_listed_files(path, entries, wanted),
    if (everything) check_unlisted_files(path, listed),
    check_root_documents(listed)
  )
}

inspect_contents <- function(path, entries, version, everything) {
  listed <- names(entries)
  later_minor <- is_later_minor(version)
  names_of_documents <- listed[is_document(listed)]
  documents <- lapply(stats::setNames(nm = names_of_documents), function(name) {
    parse_strict_json(file.path(path, name))
  })
  result <- list(path = path, files = entries, version = version, documents = documents)
  result$findings <- check_documents(documents)
  if (length(result$findings) == 0L) {
    result$findings <- check_consolidated(documents)
  }
  if (length(result$findings) == 0L) {
    result$findings <- check_array_metadata(documents, listed, later_minor)
  }
  result$root <- documents[[".zattrs"]]
  if (length(result$findings) == 0L) {
    result$findings <- check_root_attributes(result$root, version, documents, later_minor)
  }
  if (length(result$findings) == 0L) {
    result <- inspect_data(result, everything)
  }
  result
}

inspect_data <- function(result, everything) {
  curves <- read_curves(result$path, result$documents)
  pictures <- if (everything) {
    check_pictures(result$path, result$documents)
  }
  result$curves <- curves$values
  result$findings <- c(curves$findings, pictures$findings)
  if (length(result$findings) == 0L) {
    found <- check_curves(curves$values, result$root)
    result$findings <- c(
      found,
      if (everything) check_masks(pictures, curves$values, result$root, found)
    )
  }
  result
}
