# Floors: each file knows only those below it.
#   words      conditions, checks
#   store      the store's files
#   maths      numeric vectors only: no store, no plots
#   beats      the object, its summary and plots
#   reports    pages, the command line, the batch
floors <- list(
  words = c("conditions", "checks"),
  store = c("store-json", "store-layout", "store-findings", "store-manifest", "store-metadata",
            "store-attributes", "store-zarr", "store-data", "store-inspect", "store-validate",
            "read-segmentation"),
  maths = c("volumes", "statistics", "curve-smoothing", "beats-detect", "beats-echonet",
            "beats-measure", "beats-confidence", "rhythm", "averaging",
            "body-size", "interpretation", "bootstrap", "agreement-pairs",
            "agreement-bland-altman", "agreement-repeated", "agreement-icc", "agreement-ccc",
            "agreement-error", "agreement-auc"),
  beats = c("beats", "beats-table", "edit-beats", "measures", "echo-study",
            "segmentation-uncertainty", "beats-warnings", "summary", "plots",
            "plot-cycles", "agreement-print",
            "agreement-plots", "cohort", "cohort-analysis", "cohort-summary"),
  reports = c("report", "report-html", "report-tables", "report-quality", "report-pictures",
              "report-formats", "report-fhir", "report-study", "report-cohort", "batch", "main"),
  package = "beatbybeat-package"
)

may_know <- list(
  words = "words", store = c("words", "store"), maths = c("words", "maths"),
  beats = c("words", "store", "maths", "beats"),
  reports = c("words", "store", "maths", "beats", "reports"), package = "package"
)

source_folder <- function() {
  folder <- normalizePath(getwd())
  while (dirname(folder) != folder) {
    for (place in file.path(folder, c("R", "r/R", "00_pkg_src/beatbybeat/R"))) {
      if (file.exists(file.path(place, "conditions.R"))) {
        return(place)
      }
    }
    folder <- dirname(folder)
  }
  NULL
}

# Names that each file defines, and all names that its code uses.
names_in <- function(file) {
  inner <- new.env(parent = asNamespace("beatbybeat"))
  expressions <- parse(file)
  defined <- unlist(lapply(expressions, function(e) {
    if (is.call(e) && identical(e[[1]], as.name("<-"))) as.character(e[[2]])
  }))
  for (e in expressions) {
    eval(e, inner)
  }
  used <- unlist(lapply(defined, function(name) {
    value <- get(name, inner)
    if (is.function(value)) codetools::findGlobals(value) else character()
  }))
  used <- c(used, unlist(lapply(expressions, all.names)))
  list(defined = defined, used = unique(used))
}

test_that("every file has a floor, and knows only the floors below and its own", {
  skip_if_not_installed("codetools")
  folder <- source_folder()
  skip_if(is.null(folder), "the package's sources are not here (tested as installed)")
  files <- sub("\\.R$", "", list.files(folder, "\\.R$"))
  expect_setequal(files, unlist(floors))
  floor_of_file <- rep(names(floors), lengths(floors))
  names(floor_of_file) <- unlist(floors)
  parsed <- lapply(stats::setNames(nm = files), function(f) {
    names_in(file.path(folder, paste0(f, ".R")))
  })
  floor_of_name <- unlist(lapply(files, function(f) {
    stats::setNames(rep(floor_of_file[[f]], length(parsed[[f]]$defined)), parsed[[f]]$defined)
  }))
  expect_identical(anyDuplicated(names(floor_of_name)), 0L)
  for (f in files) {
    used <- intersect(parsed[[f]]$used, names(floor_of_name))
    wrong <- used[!floor_of_name[used] %in% may_know[[floor_of_file[[f]]]]]
    expect_identical(wrong, character(), info = f)
  }
})

test_that("the maths knows no files, no JSON and no graphics", {
  skip_if_not_installed("codetools")
  folder <- source_folder()
  skip_if(is.null(folder), "the package's sources are not here (tested as installed)")
  for (f in floors$maths) {
    text <- readLines(file.path(folder, paste0(f, ".R")))
    code <- text[!grepl("^\\s*#", text)]
    expect_false(any(grepl("graphics::|grDevices::|jsonlite::|file\\(|readBin", code)), info = f)
  }
})

test_that("no file passes 400 lines", {
  folder <- source_folder()
  skip_if(is.null(folder), "the package's sources are not here (tested as installed)")
  lines <- vapply(list.files(folder, "\\.R$", full.names = TRUE), function(f) {
    length(readLines(f))
  }, integer(1))
  expect_lte(max(lines), 400L)
})

test_that("nothing but base R and jsonlite is imported", {
  fields <- utils::packageDescription("beatbybeat")
  imports <- trimws(strsplit(fields$Imports, ",")[[1]])
  expect_setequal(imports, c("graphics", "grDevices", "jsonlite", "stats", "tools", "utils"))
})
