test_that("the site's index names every help page, and no other", {
  folder <- source_folder_of_package()
  skip_if(is.null(folder), "the package's sources are not here (tested as installed)")
  lines <- readLines(file.path(folder, "_pkgdown.yml"))
  inline <- sub("\\].*", "", sub(".*contents: \\[", "", grep("contents: \\[", lines, value = TRUE)))
  listed <- c(trimws(unlist(strsplit(inline, ","))),
              sub("^ +- ", "", grep("^ +- [a-z_.]+$", lines, value = TRUE)))
  pages <- sub("\\.Rd$", "", list.files(file.path(folder, "man"), "\\.Rd$"))
  articles <- sub("\\.Rmd$", "", list.files(file.path(folder, "vignettes"), "\\.Rmd$"))
  expect_setequal(listed, setdiff(c(pages, articles), "beatbybeat-package"))
})

test_that("every export has a help page with an example", {
  folder <- source_folder_of_package()
  skip_if(is.null(folder), "the package's sources are not here (tested as installed)")
  pages <- lapply(list.files(file.path(folder, "man"), "\\.Rd$", full.names = TRUE), readLines)
  aliases <- unlist(lapply(pages, function(page) {
    if (any(startsWith(page, "\\examples"))) {
      sub("^.alias\\{(.*)\\}$", "\\1", page[startsWith(page, "\\alias{")])
    }
  }))
  expect_identical(setdiff(getNamespaceExports("beatbybeat"), aliases), character())
})
