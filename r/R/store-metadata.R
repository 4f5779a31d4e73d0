# Checks a store's JSON documents and Zarr array metadata: rules F10, F11 and Z1 to Z15.

check_documents <- function(documents) {
  failed <- vapply(documents, is_json_failure, logical(1))
  reasons <- vapply(documents[failed], function(d) d$reason, character(1))
  objects <- failed | vapply(documents, is_object, logical(1))
  c(
    findings_where(rep(TRUE, sum(failed)), "F10", names(documents)[failed], reasons),
    findings_where(!objects, "F10", names(documents), "is not a JSON object")
  )
}

check_consolidated <- function(documents) {
  where <- ".zmetadata"
  consolidated <- documents[[where]]
  metadata <- consolidated[["metadata"]]
  format <- consolidated[["zarr_consolidated_format"]]
  if (!is_number(format) || format != 1 || !is_object(metadata)) {
    return(finding("F11", where, "does not hold zarr_consolidated_format 1 and metadata"))
  }
  plain <- documents[setdiff(names(documents), where)]
  if (!setequal(names(metadata), names(plain))) {
    differ <- c(setdiff(names(metadata), names(plain)), setdiff(names(plain), names(metadata)))
    return(finding("F11", where, "and the files do not hold the same documents: ", differ[1]))
  }
  same <- vapply(names(plain), function(n) json_equal(plain[[n]], metadata[[n]]), logical(1))
  findings_where(!same, "F11", names(plain), "differs from its copy in .zmetadata")
}

known_arrays_in <- function(documents) {
  intersect(names(store_arrays), folder_of(grep("/\\.zarray$", names(documents), value = TRUE)))
}

check_array_metadata <- function(documents, listed, later_minor) {
  arrays <- known_arrays_in(documents)
  always <- names(Filter(function(a) a$presence == "always", store_arrays))
  findings <- c(
    check_group_format(documents),
    findings_where(!always %in% arrays, "Z2", always, "has no .zarray"),
    unlist(lapply(arrays, check_one_array, documents = documents, later_minor = later_minor),
           recursive = FALSE),
    check_same_lengths(arrays, documents)
  )
  codes <- vapply(findings, function(f) f$code, character(1))
  if (any(c("Z2", "Z10") %in% codes)) {
    return(findings[codes != "Z11"])
  }
  if ("Z11" %in% codes) {
    return(findings)
  }
  c(
    findings,
    unlist(lapply(arrays, check_chunks_listed, documents = documents, listed = listed),
           recursive = FALSE),
    check_nothing_else_listed(documents, listed, later_minor)
  )
}

check_group_format <- function(documents) {
  format <- documents[[".zgroup"]][["zarr_format"]]
  if (is_number(format) && format == 2) {
    return(no_findings)
  }
  finding("Z1", ".zgroup", "zarr_format is not 2")
}

check_one_array <- function(name, documents, later_minor) {
  where <- paste0(name, "/.zarray")
  meta <- documents[[where]]
  c(
    check_encoding(store_arrays[[name]]$dtype, meta, where),
    check_shape(name, meta, where),
    check_array_attributes(name, documents[[paste0(name, "/.zattrs")]], later_minor)
  )
}

is_gzip <- function(compressor) {
  is_object(compressor) && setequal(names(compressor), c("id", "level")) &&
    identical(compressor[["id"]], "gzip") && is_whole(compressor[["level"]]) &&
    compressor[["level"]] >= 0 && compressor[["level"]] <= 9
}

check_encoding <- function(dtype, meta, where) {
  fill <- if (dtype != "|u1") "NaN"
  # TRUE where the member is there and is `value`.
  is_given <- function(key, value) key %in% names(meta) && identical(meta[[key]], value)
  holds <- c(
    Z1 = is_number(meta[["zarr_format"]]) && meta[["zarr_format"]] == 2,
    Z3 = is_given("dtype", dtype),
    Z4 = is_gzip(meta[["compressor"]]),
    Z5 = is_given("order", "C"),
    Z6 = is_given("filters", NULL),
    Z7 = !"dimension_separator" %in% names(meta) || is_given("dimension_separator", "."),
    Z8 = is_given("fill_value", fill)
  )
  said <- c(
    Z1 = "zarr_format is not 2", Z3 = paste0("dtype is not \"", dtype, "\""),
    Z4 = "compressor is not gzip with a level from 0 to 9", Z5 = "order is not \"C\"",
    Z6 = "filters is not null", Z7 = "dimension_separator is not \".\"",
    Z8 = paste0("fill_value is not ", if (is.null(fill)) "null" else "\"NaN\"")
  )
  lapply(names(holds)[!holds], function(code) {
    list(code = code, where = where, message = said[[code]])
  })
}

is_whole_list <- function(x, n) {
  is_array(x) && length(x) == n && all(vapply(x, is_whole, logical(1)))
}

check_shape <- function(name, meta, where) {
  axes <- store_arrays[[name]]$axes
  shape <- meta[["shape"]]
  if (!is_whole_list(shape, length(axes))) {
    return(finding("Z10", where, "shape is not ", length(axes), " whole numbers"))
  }
  shape <- unlist(shape)
  limits <- do.call(rbind, axis_limits[axes])
  if (any(shape < limits[, 1] | shape > limits[, 2])) {
    axis <- which(shape < limits[, 1] | shape > limits[, 2])[1]
    return(finding("Z10", where, sprintf("axis %s has length %.0f", axes[axis], shape[axis])))
  }
  chunks <- meta[["chunks"]]
  if (!is_whole_list(chunks, length(axes))) {
    return(finding("Z11", where, "chunks is not ", length(axes), " whole numbers"))
  }
  check_chunk_shape(name, shape, unlist(chunks), where)
}

check_chunk_shape <- function(name, shape, chunks, where) {
  if (!name %in% picture_arrays) {
    whole <- all(chunks == shape)
    return(if (whole) no_findings else finding("Z11", where, "is not one chunk"))
  }
  along_frame <- match("frame", store_arrays[[name]]$axes)
  expected <- if (name == "mask") c(1, 0, shape[3:4]) else c(0, shape[2:3])
  frames <- chunks[along_frame]
  fits <- all(chunks[-along_frame] == expected[-along_frame]) && frames >= 1 &&
    frames <= shape[along_frame] && (frames == 1 || prod(chunks) <= max_chunk_bytes)
  c(
    if (!fits) finding("Z11", where, "chunks are not whole frames of at most 4 MiB"),
    if (name == "image" && prod(shape) > max_image_bytes) {
      finding("Z11", where, "holds more than 64 MiB")
    }
  )
}

check_array_attributes <- function(name, attributes, later_minor) {
  layout <- store_arrays[[name]]
  where <- paste0(name, "/.zattrs")
  if (is.null(attributes)) {
    return(finding("Z2", where, "is not there"))
  }
  extra <- setdiff(names(attributes), c("_ARRAY_DIMENSIONS", "units", "long_name"))
  c(
    if (!identical(attributes[["_ARRAY_DIMENSIONS"]], as.list(layout$axes))) {
      finding("Z9", where, "_ARRAY_DIMENSIONS is not ", paste(layout$axes, collapse = ", "))
    },
    if (!identical(attributes[["units"]], layout$units)) {
      finding("Z14", where, "units is not \"", layout$units, "\"")
    },
    if (!is_text(attributes[["long_name"]])) {
      finding("Z14", where, "long_name is not a text")
    },
    if (!later_minor && length(extra) > 0L) {
      finding("Z15", where, "holds an attribute that version 1.0 does not know: ", extra[1])
    }
  )
}

shape_of <- function(name, documents) {
  shape <- documents[[paste0(name, "/.zarray")]][["shape"]]
  axes <- store_arrays[[name]]$axes
  if (is_whole_list(shape, length(axes))) stats::setNames(unlist(shape), axes)
}

check_same_lengths <- function(arrays, documents) {
  shapes <- lapply(stats::setNames(arrays, arrays), shape_of, documents = documents)
  known <- numeric()
  for (name in arrays) {
    shape <- shapes[[name]]
    shared <- intersect(names(shape), names(known))
    differ <- shared[shape[shared] != known[shared]]
    if (length(differ) > 0L) {
      return(finding("Z10", paste0(name, "/.zarray"), "its ", differ[1], " axis has length ",
                     shape[[differ[1]]], " where another array has ", known[[differ[1]]]))
    }
    known <- c(known, shape[setdiff(names(shape), names(known))])
  }
  no_findings
}

check_chunks_listed <- function(name, documents, listed) {
  meta <- documents[[paste0(name, "/.zarray")]]
  there <- listed[is_in_folder(listed) & folder_of(listed) == name & !is_document(listed)]
  missing <- "a chunk is not listed in the manifest"
  if (prod(chunk_grid(meta)) > length(there)) {
    return(finding("Z12", name, missing))
  }
  wanted <- paste0(name, "/", chunk_keys(meta))
  findings_where(!wanted %in% there, "Z12", wanted, missing)
}

check_nothing_else_listed <- function(documents, listed, later_minor) {
  nested <- is_in_folder(listed)
  folder <- ifelse(nested, sub("/.*$", "", listed), "")
  arrays <- known_arrays_in(documents)
  known <- nested & folder %in% names(store_arrays)
  allowed <- unlist(lapply(arrays, function(name) {
    meta <- documents[[paste0(name, "/.zarray")]]
    lost <- prod(chunk_grid(meta)) > length(listed)
    chunks <- if (lost) listed[folder == name] else paste0(name, "/", chunk_keys(meta))
    c(chunks, paste0(name, c("/.zarray", "/.zattrs")))
  }))
  root <- c(".zgroup", ".zattrs", ".zmetadata")
  stray <- if (later_minor) {
    known & !listed %in% allowed
  } else {
    !listed %in% c(allowed, root)
  }
  findings_where(stray, "Z13", listed, "does not belong to a store of this version")
}
