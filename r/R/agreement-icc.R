# Intraclass correlation coefficients from the two-way analysis of variance.

#' Intraclass correlation
#'
#' The six forms of Shrout and Fleiss, from the mean squares between patients (\eqn{BMS}), within
#' (\eqn{WMS}), between judges (\eqn{JMS}) and of the rest (\eqn{EMS}), for \eqn{n} patients and
#' \eqn{k} judges:
#'
#' * ICC(1,1) \eqn{= (BMS - WMS) / (BMS + (k-1) WMS)}: each patient has other judges;
#' * ICC(2,1) \eqn{= (BMS - EMS) / (BMS + (k-1) EMS + k (JMS - EMS) / n)}: the judges are a sample
#'   of judges, and their agreement counts;
#' * ICC(3,1) \eqn{= (BMS - EMS) / (BMS + (k-1) EMS)}: these judges only, and their consistency;
#' * ICC(1,k), (2,k), (3,k): the same for the mean of \eqn{k} judges.
#'
#' Intervals by Shrout and Fleiss 1979 and McGraw and Wong 1996. For two methods on the same
#' patients the usual form is ICC(2,1).
#'
#' @param ratings A matrix or data frame of numbers: one row a patient, one column a judge or
#'   method. Rows with a missing value are left out.
#' @param level Confidence level of the intervals.
#' @return An object of class `beatbybeat_icc`. `as.data.frame()` gives `statistic`, `estimate`,
#'   `low`, `high` and the test of no correlation: `f`, `df1`, `df2`, `p`.
#' @references Shrout PE, Fleiss JL. Intraclass correlations: uses in assessing rater reliability.
#'   Psychol Bull 1979;86:420-428. \doi{10.1037/0033-2909.86.2.420}
#'
#'   McGraw KO, Wong SP. Psychol Methods 1996;1:30-46. \doi{10.1037/1082-989X.1.1.30}
#' @examples
#' # Six targets, four judges: Shrout and Fleiss 1979
#' ratings <- rbind(c(9, 2, 5, 8), c(6, 1, 3, 2), c(8, 4, 6, 8), c(7, 1, 2, 6), c(10, 5, 6, 9),
#'                  c(6, 2, 4, 7))
#' intraclass_correlation(ratings)
#' @export
intraclass_correlation <- function(ratings, level = 0.95) {
  check_level(level)
  x <- if (is.data.frame(ratings)) data.matrix(ratings) else ratings
  numbers <- if (is.data.frame(ratings)) all(vapply(ratings, is.numeric, NA)) else is.numeric(x)
  if (!is.matrix(x) || !numbers || ncol(x) < 2L) {
    abort_beatbybeat("bad_argument", "`ratings` must be a matrix or data frame of numbers with ",
                     "one row a patient and at least two columns, not ", describe_value(ratings),
                     ".")
  }
  kept <- rowSums(!is.finite(x)) == 0
  if (sum(kept) < 3L) {
    abort_beatbybeat("bad_argument", "`ratings` has ", sum(kept), " complete rows; at least 3 ",
                     "are needed.")
  }
  x <- unname(x[kept, , drop = FALSE])
  squares <- two_way_squares(x)
  estimates <- icc_table(squares, level)
  new_agreement("icc", estimates, n = nrow(x), judges = ncol(x), ratings = x,
                left_out = sum(!kept), level = level, squares = squares)
}

# Mean squares of a (patient, judge) matrix.
two_way_squares <- function(x) {
  n <- nrow(x)
  k <- ncol(x)
  all <- mean(x)
  between <- k * sum((rowMeans(x) - all)^2)
  judges <- n * sum((colMeans(x) - all)^2)
  within <- sum((x - rowMeans(x))^2)
  list(
    n = n, k = k, bms = between / (n - 1), jms = judges / (k - 1), wms = within / (n * (k - 1)),
    ems = (within - judges) / ((n - 1) * (k - 1))
  )
}

icc_table <- function(s, level) {
  if (s$bms == 0 && s$wms == 0) {
    abort_beatbybeat("bad_argument", "`ratings` are all the same number: no correlation exists.")
  }
  forms <- c("ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)")
  n <- s$n
  k <- s$k
  p <- 0.5 + level / 2
  df_rest <- (n - 1) * (k - 1)
  agreement <- (s$bms - s$ems) / (s$bms + (k - 1) * s$ems + k * (s$jms - s$ems) / n)
  estimate <- c(
    (s$bms - s$wms) / (s$bms + (k - 1) * s$wms), agreement,
    (s$bms - s$ems) / (s$bms + (k - 1) * s$ems), (s$bms - s$wms) / s$bms,
    (s$bms - s$ems) / (s$bms + (s$jms - s$ems) / n), (s$bms - s$ems) / s$bms
  )
  f <- c(s$bms / s$wms, s$bms / s$ems)[c(1, 2, 2, 1, 2, 2)]
  df2 <- c(n * (k - 1), df_rest)[c(1, 2, 2, 1, 2, 2)]
  # Of forms 1 and 3 the F ratio has the limits; of form 2 Satterthwaite's.
  low_f <- f / stats::qf(p, n - 1, df2)
  high_f <- f * stats::qf(p, df2, n - 1)
  low <- (low_f - 1) / (low_f + k - 1)
  high <- (high_f - 1) / (high_f + k - 1)
  second <- agreement_limits(s, agreement, p)
  low[2] <- second[1]
  high[2] <- second[2]
  mean_of_k <- function(r) r * k / (1 + r * (k - 1))
  low[4:6] <- mean_of_k(low[1:3])
  high[4:6] <- mean_of_k(high[1:3])
  data.frame(statistic = forms, estimate = estimate, low = low, high = high, f = f,
             df1 = n - 1, df2 = df2, p = stats::pf(f, n - 1, df2, lower.tail = FALSE))
}

agreement_limits <- function(s, icc, p) {
  n <- s$n
  k <- s$k
  if (s$ems == 0) {
    return(c(NA_real_, NA_real_))
  }
  fj <- s$jms / s$ems
  a <- n * (1 + (k - 1) * icc) - k * icc
  v <- (k - 1) * (n - 1) * (k * icc * fj + a)^2 / ((n - 1) * k^2 * icc^2 * fj^2 + a^2)
  rest <- k * s$jms + (k * n - k - n) * s$ems
  upper <- stats::qf(p, n - 1, v)
  lower <- stats::qf(p, v, n - 1)
  c(n * (s$bms - upper * s$ems) / (upper * rest + n * s$bms),
    n * (lower * s$bms - s$ems) / (rest + n * lower * s$bms))
}
