parse_text <- function(text) {
  file <- tempfile()
  on.exit(unlink(file))
  writeBin(if (is.raw(text)) text else charToRaw(text), file)
  parse_strict_json(file)
}

test_that("what RFC 8259 allows is read", {
  expect_identical(parse_text('{"a": 1.5, "b": [true, null], "c": "x/y // no comment"}'),
                   list(a = 1.5, b = list(TRUE, NULL), c = "x/y // no comment"))
  expect_identical(parse_text('{"a": "\\" /* still text */"}'), list(a = "\" /* still text */"))
})

test_that("what it does not allow is refused", {
  refused <- c(
    '{"a": NaN}', '{"a": Infinity}', '{"a": 1, "a": 2}', '{"b": {"a": 1, "a": 1}}',
    '{"a": 1} // comment', '/* comment */ {"a": 1}', '{"a": 1,}', '{"a": 1', "", "{'a': 1}",
    '{"a": 1} {"b": 2}', "\ufeff{\"a\": 1}"
  )
  for (text in refused) {
    expect_true(is_json_failure(parse_text(text)), info = text)
  }
  expect_true(is_json_failure(parse_text(as.raw(c(0x22, 0xff, 0x22)))))
  expect_true(is_json_failure(parse_text(as.raw(c(0x31, 0x00)))))
})

test_that("values are equal as JSON, not as R", {
  expect_true(json_equal(list(a = 1L, b = list(2)), list(b = list(2L), a = 1)))
  expect_false(json_equal(list(a = NULL), list(b = NULL)))
  expect_false(json_equal(list(1, 2), list(2, 1)))
  expect_false(json_equal("1", 1))
})
