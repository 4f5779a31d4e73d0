# Six targets by four judges: Shrout and Fleiss 1979, tables 2 to 4.
ratings <- rbind(c(9, 2, 5, 8), c(6, 1, 3, 2), c(8, 4, 6, 8), c(7, 1, 2, 6), c(10, 5, 6, 9),
                 c(6, 2, 4, 7))

test_that("Shrout and Fleiss 1979 is reproduced to the printed digits", {
  found <- intraclass_correlation(ratings)
  expect_identical(round(as.data.frame(found)$estimate, 2), c(0.17, 0.29, 0.71, 0.44, 0.62, 0.91))
  squares <- vapply(found$squares[c("bms", "wms", "jms", "ems")], round, double(1), 2)
  expect_identical(unname(squares), c(11.24, 6.26, 32.49, 1.02))
})

test_that("intervals and tests are psych's", {
  skip_if_not_installed("psych")
  set.seed(4)
  others <- list(ratings, matrix(stats::rnorm(60), 20) + stats::rnorm(20, sd = 2) +
                   rep(c(0, 1, 3), each = 20), matrix(stats::rnorm(24), 12))
  for (x in others) {
    theirs <- suppressWarnings(psych::ICC(x, lmer = FALSE))$results
    ours <- as.data.frame(intraclass_correlation(x))
    expect_equal(ours$estimate, theirs$ICC, tolerance = 1e-6)
    expect_equal(ours$low, theirs[["lower bound"]], tolerance = 1e-6)
    expect_equal(ours$high, theirs[["upper bound"]], tolerance = 1e-6)
    expect_equal(ours$f, theirs$F, tolerance = 1e-6)
    expect_equal(ours$p, theirs$p, tolerance = 1e-6)
  }
})

test_that("a constant shift between methods lowers agreement and not consistency", {
  x <- c(40, 45, 50, 55, 60, 65)
  table <- as.data.frame(intraclass_correlation(cbind(x, x + 5 + c(1, -1, 0, 0, -1, 1))))
  expect_gt(table$estimate[3], 0.98)
  expect_lt(table$estimate[2], 0.90)
})

test_that("what is no table of ratings is refused", {
  expect_snapshot(error = TRUE, intraclass_correlation(1:5))
  expect_snapshot(error = TRUE, intraclass_correlation(data.frame(a = letters[1:3], b = 1:3)))
  expect_snapshot(error = TRUE, intraclass_correlation(rbind(1:2, c(NA, 1), 3:4)))
  expect_snapshot(error = TRUE, intraclass_correlation(matrix(1, 4, 2)))
  expect_snapshot(intraclass_correlation(ratings))
})
