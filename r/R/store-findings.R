# Holds what is wrong with a store, and says it as a data frame or as an error.

finding <- function(code, where, ...) {
  list(list(code = code, where = where, message = paste0(...)))
}

no_findings <- list()

# One finding for each `where` that is TRUE in `bad`.
findings_where <- function(bad, code, where, message) {
  where <- where[bad]
  message <- rep_len(message, length(bad))[bad]
  lapply(seq_along(where), function(i) {
    list(code = code, where = where[i], message = message[i])
  })
}

findings_frame <- function(findings) {
  field <- function(name) vapply(findings, function(f) f[[name]], character(1))
  data.frame(code = field("code"), where = field("where"), message = field("message"))
}

damage_codes <- c("F2", "F5", "F6", "F7", "F10", "D1")

abort_finding <- function(path, found) {
  what <- if (found$code == "F3") {
    "store_version_unsupported"
  } else if (found$code == "F1") {
    if (dir.exists(path)) "store_incomplete" else "store_not_found"
  } else if (found$code %in% damage_codes) {
    "store_damaged"
  } else {
    "store_invalid"
  }
  cure <- switch(what,
    store_version_unsupported = "update beatbybeat",
    store_incomplete = "it was never finished or is no segmentation store: segment the clip again",
    store_not_found = "check the path",
    store_damaged = "copy it again from its source, or segment the clip again",
    store_invalid = "segment the clip again; validate_segmentation() lists every broken rule"
  )
  where <- if (found$where %in% c("", ".")) "" else paste0(found$where, ": ")
  abort_beatbybeat(what, path, ": ", where, found$message, " [", found$code, "]; ", cure, ".")
}
