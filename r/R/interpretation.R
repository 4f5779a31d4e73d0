# Puts a number beside the published normal ranges and classes, always with the source.

#' Normal ranges and classes
#'
#' `interpret_ef()` says where an EF lies in the ranges of Lang 2015 for the patient's sex, and in
#' which heart-failure class it would be. Without a sex no number is called normal or abnormal.
#' EF is compared as it is printed, in whole percent. It is a reading aid and never a diagnosis:
#' heart-failure classes presuppose heart failure, and one echo is not "final".
#'
#' @param ef_percent EF in percent, one number or `NA`.
#' @param sex `"female"`, `"male"` or `NULL`.
#' @return `interpret_ef()`: a data frame with the rows `range` and `heart_failure_class` and the
#'   columns `what`, `label` (`NA` where none can be given), `reason`, `source`. `normal_ranges()`:
#'   a data frame of `measure`, `sex`, `low`, `high`, `unit`, `source`.
#' @references Lang RM et al. Recommendations for cardiac chamber quantification by echocardiography
#'   in adults. J Am Soc Echocardiogr 2015;28:1-39. \doi{10.1016/j.echo.2014.10.003}
#'
#'   Bozkurt B et al. Universal definition and classification of heart failure. J Card Fail
#'   2021;27:387-413. \doi{10.1016/j.cardfail.2021.01.022}
#' @examples
#' interpret_ef(48, sex = "female")
#' interpret_ef(48)
#' normal_ranges("female")
#' @export
interpret_ef <- function(ef_percent, sex = NULL) {
  check_numeric(ef_percent, "ef_percent", 1L)
  check_range(ef_percent, "ef_percent", 0, 100, "percent")
  check_sex(sex)
  ef <- round(ef_percent)
  range <- if (is.na(ef) || is.null(sex)) NA_character_ else ef_range(ef, sex)
  class <- if (is.na(ef)) NA_character_ else heart_failure_class(ef)
  reason <- if (is.na(ef)) "no_ef" else NA_character_
  data.frame(
    what = c("range", "heart_failure_class"), label = c(range, class),
    reason = c(if (is.na(ef) || !is.null(sex)) reason else "sex_not_known", reason),
    source = c(lang_2015, universal_definition)
  )
}

lang_2015 <- "Lang 2015, doi 10.1016/j.echo.2014.10.003"

universal_definition <- paste("Universal definition of heart failure 2021,",
                              "doi 10.1016/j.cardfail.2021.01.022")

# Lowest whole percent of each range.
ef_lower_ends <- list(
  male = c("severely abnormal" = 0, "moderately abnormal" = 30, "mildly abnormal" = 41,
           "normal" = 52, "above the normal range" = 73),
  female = c("severely abnormal" = 0, "moderately abnormal" = 30, "mildly abnormal" = 41,
             "normal" = 54, "above the normal range" = 75)
)

ef_range <- function(ef, sex) {
  ends <- ef_lower_ends[[sex]]
  names(ends)[findInterval(ef, ends)]
}

heart_failure_class <- function(ef) {
  if (ef <= 40) {
    "reduced (HFrEF range, at most 40 %)"
  } else if (ef < 50) {
    "mildly reduced (HFmrEF range, 41 to 49 %)"
  } else {
    "preserved (HFpEF range, at least 50 %)"
  }
}

range_values <- rbind(
  data.frame(measure = "ef_percent", sex = known_sexes, low = c(54, 52), high = c(74, 72),
             unit = "%"),
  data.frame(measure = "edv_ml", sex = known_sexes, low = c(46, 62), high = c(106, 150),
             unit = "mL"),
  data.frame(measure = "esv_ml", sex = known_sexes, low = c(14, 21), high = c(42, 61),
             unit = "mL"),
  data.frame(measure = "edv_index_ml_m2", sex = known_sexes, low = c(29, 34), high = c(61, 74),
             unit = "mL/m2"),
  data.frame(measure = "esv_index_ml_m2", sex = known_sexes, low = c(8, 11), high = c(24, 31),
             unit = "mL/m2")
)

#' @rdname interpret_ef
#' @export
normal_ranges <- function(sex = NULL) {
  check_sex(sex)
  table <- range_values
  table$source <- lang_2015
  if (!is.null(sex)) {
    table <- table[table$sex == sex, ]
    row.names(table) <- NULL
  }
  table
}
