# Checks a store's root attributes: rules A1 to A15.

root_keys <- c(
  "schema", "schema_version", "object_names", "view", "view_source", "spacing_cm",
  "spacing_reason", "pixel_aspect", "frame_rate_hz", "frame_time_source", "image_reason",
  "source", "subject_key", "model", "software", "created", "quality", "warnings"
)

member_keys <- list(
  source = c("kind", "sha256", "frame_count", "height", "width"),
  model = c("name", "weights_sha256", "training_data", "licence", "intended_use"),
  software = c("name", "version")
)

quality_keys <- c("measurable", "reasons")

reason_keys <- c("code", "message")

reason_codes <- c(
  "no_object", "low_confidence", "unsteady", "not_apical_shape", "too_small", "too_large",
  "sector_not_found", "colour_doppler", "split_screen", "static", "few_frames"
)

views <- c("A4C", "A2C", "PLAX", "PSAX", "unknown")

view_sources <- c("given", "file", "predicted")

check_root_attributes <- function(root, version, documents, later_minor) {
  findings <- c(
    check_members_there(root),
    if (!later_minor) check_no_other_members(root),
    check_root_types(root)
  )
  if (length(findings) > 0L) {
    return(findings)
  }
  check_root_agreement(root, version, documents, later_minor)
}

# Every object of the attributes with the members that it must have: name -> (object, keys).
attribute_objects <- function(root) {
  objects <- list(list(where = "", value = root, keys = root_keys))
  for (name in names(member_keys)) {
    objects <- c(objects, list(list(
      where = name, value = root[[name]], keys = member_keys[[name]]
    )))
  }
  quality <- root[["quality"]]
  for (object in if (is_object(quality)) names(quality)) {
    where <- paste0("quality.", object)
    objects <- c(objects, list(list(where = where, value = quality[[object]], keys = quality_keys)))
    reasons <- if (is_object(quality[[object]])) quality[[object]][["reasons"]]
    for (i in if (is_array(reasons)) seq_along(reasons)) {
      objects <- c(objects, list(list(
        where = sprintf("%s.reasons.%d", where, i - 1L), value = reasons[[i]], keys = reason_keys
      )))
    }
  }
  Filter(function(o) is_object(o$value), objects)
}

attribute_path <- function(where, key) {
  paste0(".zattrs ", if (nzchar(where)) paste0(where, "."), key)
}

check_members_there <- function(root) {
  unlist(lapply(attribute_objects(root), function(o) {
    findings_where(!o$keys %in% names(o$value), "A1", attribute_path(o$where, o$keys),
                   "is not there")
  }), recursive = FALSE)
}

check_no_other_members <- function(root) {
  unlist(lapply(attribute_objects(root), function(o) {
    other <- setdiff(names(o$value), o$keys)
    findings_where(rep(TRUE, length(other)), "A2", attribute_path(o$where, other),
                   "is not known to version 1.0")
  }), recursive = FALSE)
}

is_null_or <- function(test) function(x) is.null(x) || test(x)

is_one_of <- function(choices) function(x) is_string(x) && x %in% choices

is_positive <- function(x) is_number(x) && x > 0

is_count <- function(x) is_whole(x) && x >= 1

is_sha256 <- function(x) is_string(x) && grepl("^[0-9a-f]{64}$", x)

is_list_of <- function(test, at_least = 0L) {
  function(x) is_array(x) && length(x) >= at_least && all(vapply(x, test, logical(1)))
}

is_spacing <- function(x) is_array(x) && length(x) == 2L && all(vapply(x, is_positive, logical(1)))

utc_pattern <- paste0(
  "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
  "T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$"
)

is_matching <- function(pattern) function(x) is_string(x) && grepl(pattern, x)

is_name <- function(x) is_string(x) && grepl("^[a-z][a-z0-9_]*$", x)

is_object_names <- function(x) {
  is_list_of(is_name, 1L)(x) && length(x) <= 16L && !anyDuplicated(unlist(x))
}

# Members that are not there are A1's to report, not A3's.
absent_or <- function(x, key, test) !key %in% names(x) || test(x[[key]])

is_reason <- function(x) {
  is_object(x) && absent_or(x, "code", is_name) && absent_or(x, "message", is_text)
}

is_verdict <- function(x) {
  is_object(x) && absent_or(x, "measurable", is_flag) &&
    absent_or(x, "reasons", is_list_of(is_reason))
}

is_quality <- function(x) is_object(x) && all(vapply(x, is_verdict, logical(1)))

root_types <- function() {
  list(
    schema = is_one_of(store_schema),
    schema_version = is_matching("^1\\.(0|[1-9][0-9]*)$"),
    object_names = is_object_names,
    view = is_one_of(views),
    view_source = is_null_or(is_one_of(view_sources)),
    spacing_cm = is_null_or(is_spacing),
    spacing_reason = is_null_or(is_text),
    pixel_aspect = is_positive,
    frame_rate_hz = is_null_or(is_positive),
    frame_time_source = is_text,
    image_reason = is_null_or(is_text),
    source = is_object,
    subject_key = is_null_or(is_text),
    model = is_object,
    software = is_object,
    created = is_matching(utc_pattern),
    quality = is_quality,
    warnings = is_list_of(is_text)
  )
}

member_types <- function() {
  list(
    source = list(
      kind = is_text, sha256 = is_sha256, frame_count = is_count, height = is_count,
      width = is_count
    ),
    model = list(
      name = is_text, weights_sha256 = is_null_or(is_sha256), training_data = is_text,
      licence = is_text, intended_use = is_text
    ),
    software = list(name = is_text, version = is_text)
  )
}

check_types <- function(values, types, where) {
  keys <- intersect(names(types), names(values))
  good <- vapply(keys, function(key) types[[key]](values[[key]]), logical(1))
  findings_where(!good, "A3", attribute_path(where, keys),
                 "has a type or value that the specification does not allow")
}

check_root_types <- function(root) {
  nested <- lapply(names(member_types()), function(name) {
    if (is_object(root[[name]])) check_types(root[[name]], member_types()[[name]], name)
  })
  c(check_types(root, root_types(), ""), unlist(nested, recursive = FALSE))
}

iff <- function(a, b) a == b

check_root_agreement <- function(root, version, documents, later_minor) {
  shape <- shape_of("mask", documents)
  arrays <- known_arrays_in(documents)
  spacing <- unlist(root[["spacing_cm"]])
  calibrated <- !is.null(spacing)
  aspect <- if (calibrated) spacing[1] / spacing[2] else 1
  has_image <- "image" %in% arrays
  twins <- calibrated_arrays %in% arrays
  source <- root[["source"]]
  names_given <- unlist(root[["object_names"]])
  quality <- root[["quality"]]
  reasons <- lapply(quality, function(q) q[["reasons"]])
  measurable <- vapply(quality, function(q) q[["measurable"]], logical(1))
  codes <- vapply(unlist(reasons, recursive = FALSE), function(r) r[["code"]], character(1))
  holds <- c(
    A4 = identical(root[["schema_version"]], version),
    A5 = length(names_given) == shape[["object"]],
    A6 = iff(is.null(root[["view_source"]]), root[["view"]] == "unknown"),
    A7 = iff(is.null(root[["spacing_reason"]]), calibrated),
    A8 = abs(root[["pixel_aspect"]] - aspect) <= 1e-6 * aspect,
    A9 = if (calibrated) all(twins) else !any(twins),
    A10 = iff(is.null(root[["image_reason"]]), has_image),
    A11 = all(c(source[["frame_count"]], source[["height"]], source[["width"]]) ==
                shape[c("frame", "y", "x")]),
    A12 = iff(is.null(root[["frame_rate_hz"]]), shape[["frame"]] == 1),
    A13 = setequal(names(quality), names_given),
    A14 = all(iff(lengths(reasons) == 0L, measurable)),
    A15 = later_minor || all(codes %in% reason_codes)
  )
  lapply(names(holds)[!holds], function(code) {
    list(code = code, where = attribute_path("", agreement_keys[[code]]),
         message = agreement_said[[code]])
  })
}

agreement_keys <- c(
  A4 = "schema_version", A5 = "object_names", A6 = "view_source", A7 = "spacing_reason",
  A8 = "pixel_aspect", A9 = "spacing_cm", A10 = "image_reason", A11 = "source",
  A12 = "frame_rate_hz", A13 = "quality", A14 = "quality", A15 = "quality"
)

agreement_said <- c(
  A4 = "is not the manifest's",
  A5 = "does not have one name for each object",
  A6 = "is null if and only if the view is unknown: not here",
  A7 = "is a text if and only if spacing_cm is null: not here",
  A8 = "is not row spacing / column spacing (1 without spacing)",
  A9 = "and the arrays in centimetres do not agree: all three or none",
  A10 = "is a text if and only if there is no image: not here",
  A11 = "frame_count, height and width are not the lengths of the mask",
  A12 = "is null if and only if there is one frame: not here",
  A13 = "does not have exactly one entry for each object name",
  A14 = "reasons are empty if and only if measurable is true: not here",
  A15 = "holds a reason code that version 1.0 does not know"
)
