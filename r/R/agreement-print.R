# Prints the objects of agreement.

#' Show an object of agreement
#'
#' `print()` says the numbers with their intervals, `plot()` draws them, `as.data.frame()` gives
#' one row for each.
#'
#' @param x What [bland_altman()], [bland_altman_repeated()], [intraclass_correlation()],
#'   [concordance_correlation()], [measurement_errors()] or [auc_delong()] returned.
#' @param digits Significant digits; by default decimals that suit the numbers.
#' @param row.names,optional As in [as.data.frame()].
#' @param xlab,ylab Labels of the axes.
#' @param ... Passed to [graphics::plot.default()].
#' @return `x`, invisibly; `as.data.frame()` a data frame.
#' @examples
#' agreement <- bland_altman(c(52, 61, 44, 58, 39), c(50, 60, 47, 55, 40))
#' as.data.frame(agreement)
#' plot(agreement)
#' @name agreement
NULL

#' @rdname agreement
#' @export
as.data.frame.beatbybeat_agreement <- function(x, row.names = NULL, # nolint: object_name_linter.
                                               optional = FALSE, ...) {
  table <- x$estimates
  if (!is.null(row.names)) {
    row.names(table) <- row.names
  }
  table
}

agreement_names <- c(
  bias = "Bias", sd = "SD of differences", lower_limit = "Lower limit", upper_limit = "Upper limit",
  slope = "Slope on the mean", sd_between = "SD between patients", sd_within = "SD within patients",
  ccc = "Concordance", pearson = "Pearson's r", accuracy = "Accuracy factor",
  mae = "Mean absolute error", rmse = "Root mean squared error", r_squared = "R2 (1 - SSE/SST)",
  r_pearson_squared = "r2 (Pearson)", auc = "AUC", prevalence = "Prevalence",
  sensitivity = "Sensitivity", specificity = "Specificity"
)

print_estimates <- function(x, decimals) {
  table <- x$estimates
  name <- unname(agreement_names[table$statistic])
  name[is.na(name)] <- table$statistic[is.na(name)]
  decimal <- function(v) formatC(v, format = "f", digits = decimals)
  interval <- ifelse(is.na(table$low), "", paste0("  (", decimal(table$low), " to ",
                                                 decimal(table$high), ")"))
  cat(paste0("  ", format(name), "  ", format(decimal(table$estimate), justify = "right"),
             interval, "\n"), sep = "")
}

print_heading <- function(x, title) {
  rows <- if (!is.null(x$rows) && x$rows != x$n) paste0(", ", count_of(x$rows, "measurement"))
  cat("<", class(x)[1], "> ", title, ": ", count_of(x$n, "patient"), rows,
      sprintf("; %g %% intervals", 100 * x$level), "\n", sep = "")
  if (x$left_out > 0L) {
    cat("  ", count_of(x$left_out, "row"), " with a missing value left out\n", sep = "")
  }
}

#' @rdname agreement
#' @export
print.beatbybeat_bland_altman <- function(x, digits = NULL, ...) {
  print_heading(x, if (x$repeated) {
    paste0("limits of agreement, repeated measurements, true value ", x$true_value)
  } else {
    "limits of agreement"
  })
  size <- max(abs(x$estimates$estimate[x$estimates$statistic %in% c("bias", "sd")]))
  decimals <- if (!is.null(digits)) digits else if (size >= 1) 1L else 1L - floor(log10(size))
  table <- x$estimates
  shown <- x
  shown$estimates <- table[table$statistic != "slope", ]
  print_estimates(shown, max(0, decimals))
  shown$estimates <- table[table$statistic == "slope", ]
  print_estimates(shown, max(3, decimals))
  cat(sprintf("  Limits: bias -/+ %.3g SD. Differences: measured - reference.\n", x$multiplier))
  invisible(x)
}

#' @rdname agreement
#' @export
print.beatbybeat_icc <- function(x, digits = 2L, ...) {
  print_heading(x, paste0("intraclass correlation, ", x$judges, " judges"))
  print_estimates(x, digits)
  invisible(x)
}

#' @rdname agreement
#' @export
print.beatbybeat_ccc <- function(x, digits = 3L, ...) {
  print_heading(x, "concordance correlation")
  print_estimates(x, digits)
  invisible(x)
}

#' @rdname agreement
#' @export
print.beatbybeat_errors <- function(x, digits = 2L, ...) {
  print_heading(x, "errors against a reference")
  print_estimates(x, digits)
  cat("  BCa bootstrap over patients, ", x$resamples, " samples, seed ", x$seed, ".\n", sep = "")
  invisible(x)
}

#' @rdname agreement
#' @export
print.beatbybeat_auc <- function(x, digits = 3L, ...) {
  print_heading(x, "area under the ROC curve")
  print_estimates(x, digits)
  if (!is.null(x$cutoff)) {
    cat("  Called positive: values ", if (x$tells == "low") "below " else "above ",
        format(x$cutoff), ".\n", sep = "")
  }
  if (is.na(x$estimates$low[1])) {
    cat("  The groups do not overlap: DeLong's interval of the AUC is not defined.\n")
  }
  invisible(x)
}
