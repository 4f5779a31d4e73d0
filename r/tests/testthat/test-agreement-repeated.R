# Formulas of Bland and Altman 1999 and 2007, on data whose variances are known.

# Differences with SD 3 between patients and 2 within: total variance 13. Each patient has `beats`.
known_pairs <- function(seed, patients, beats) {
  set.seed(seed)
  beats <- rep_len(beats, patients)
  subject <- rep(seq_len(patients), beats)
  true <- stats::rnorm(patients, 55, 8)[subject] + stats::rnorm(length(subject), sd = 2)
  difference <- stats::rnorm(patients, 1, 3)[subject] + stats::rnorm(length(subject), sd = 2)
  data.frame(subject, reference = true, measured = true + difference)
}

rows_of <- function(x, names) {
  table <- as.data.frame(x)
  table[match(names, table$statistic), ]
}

test_that("the parts of the variance are those that the data were drawn with", {
  for (beats in list(4L, c(2L, 3L, 9L))) {
    d <- known_pairs(1, 3000, beats)
    found <- bland_altman_repeated(d$measured, d$reference, d$subject)
    parts <- rows_of(found, c("bias", "sd", "sd_between", "sd_within"))$estimate
    expect_equal(parts, c(1, sqrt(13), 3, 2), tolerance = 0.05)
  }
})

test_that("equal numbers of pairs give the variances of the analysis of variance (2007)", {
  d <- known_pairs(2, 12, 4L)
  difference <- d$measured - d$reference
  table <- stats::anova(stats::lm(difference ~ factor(d$subject)))
  squares <- table[["Mean Sq"]]
  found <- bland_altman_repeated(d$measured, d$reference, d$subject)
  parts <- rows_of(found, c("sd_between", "sd_within", "sd"))$estimate
  expect_equal(parts^2, c((squares[1] - squares[2]) / 4, squares[2],
                          (squares[1] - squares[2]) / 4 + squares[2]))
})

test_that("replicates of a constant value: the formula of 1999, by hand", {
  # Patient means of differences 1, 2, 6: variance 7. Within: x (2, 2, 2) / 3 df, y 0.5, 0.5, 2.
  x <- c(9, 11, 19, 21, 29, 31)
  y <- c(8.5, 9.5, 17.5, 18.5, 23, 25)
  found <- bland_altman_repeated(x, y, c(1, 1, 2, 2, 3, 3), true_value = "constant")
  expect_equal(rows_of(found, "bias")$estimate, 3)
  expect_equal(rows_of(found, "sd")$estimate^2, 7 + 0.5 * 2 + 0.5 * 1)
})

test_that("a patient with many beats counts once in the bias", {
  found <- bland_altman_repeated(c(rep(10, 50), 3, 3, 2, 2), rep(0, 54) + 1e-9 * (1:54),
                                 c(rep(1, 50), 2, 2, 3, 3))
  expect_equal(rows_of(found, "bias")$estimate, 5, tolerance = 1e-6)
})

test_that("intervals of limits hold the true limit in about 95 %, where pooled beats do not", {
  true <- 1 + 1.96 * sqrt(13)
  held <- vapply(1:300, function(seed) {
    d <- known_pairs(seed, 20, 4L)
    ours <- rows_of(bland_altman_repeated(d$measured, d$reference, d$subject), "upper_limit")
    pooled <- rows_of(bland_altman(d$measured, d$reference), "upper_limit")
    c(ours$low <= true && true <= ours$high, pooled$low <= true && true <= pooled$high)
  }, logical(2))
  expect_gt(mean(held[1, ]), 0.92)
  expect_lt(mean(held[1, ]), 0.985)
  expect_lt(mean(held[2, ]), 0.88)
})
