# The corpus that both languages' validators are held to, in shared_data_spec/conformance.

test_that("every valid store is accepted, read and analysed", {
  folder <- conformance_folder("valid")
  skip_if(is.null(folder), "shared_data_spec is not beside the package (tested from a tarball)")
  stores <- list.files(folder, full.names = TRUE)
  expect_gte(length(stores), 10)
  for (store in stores) {
    expect_identical(nrow(validate_segmentation(store)), 0L, info = basename(store))
    seg <- read_segmentation(store)
    expect_s3_class(detect_beats(seg, object = seg$object_names[1]), "beatbybeat_beats")
  }
})

test_that("every invalid store is refused for its own rule and no other", {
  folder <- conformance_folder("invalid")
  skip_if(is.null(folder), "shared_data_spec is not beside the package (tested from a tarball)")
  stores <- list.files(folder, full.names = TRUE)
  expect_gte(length(stores), 100)
  for (store in stores) {
    rule <- sub("-.*", "", basename(store))
    expect_identical(unique(validate_segmentation(store)$code), rule, info = basename(store))
  }
})

test_that("opening refuses what it must: all but the rules of masks, images and unlisted files", {
  folder <- conformance_folder("invalid")
  skip_if(is.null(folder), "shared_data_spec is not beside the package (tested from a tarball)")
  for (store in list.files(folder, full.names = TRUE)) {
    found <- validate_segmentation(store)
    in_pictures <- all(grepl("^(mask|image)", found$where))
    if (in_pictures || any(found$code %in% c("F8", "D11"))) next
    expect_error(read_segmentation(store), class = "beatbybeat_error", info = basename(store))
  }
})

test_that("every archived store stays readable", {
  folder <- conformance_folder("valid")
  skip_if(is.null(folder), "shared_data_spec is not beside the package (tested from a tarball)")
  archives <- list.files(file.path(dirname(dirname(folder)), "archives", "v1"), "\\.zarr$",
                         full.names = TRUE)
  for (store in archives) {
    expect_identical(nrow(validate_segmentation(store)), 0L, info = basename(store))
  }
  expect_true(TRUE)
})
