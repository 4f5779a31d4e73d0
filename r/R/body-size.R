# Body surface area, and what is known about the patient because the caller gave it.

#' Body surface area
#'
#' Mosteller \eqn{\sqrt{h\,w / 3600}} or DuBois \eqn{0.007184\, w^{0.425} h^{0.725}}, in m², for
#' height \eqn{h} in cm and weight \eqn{w} in kg. Say which was used beside every indexed number.
#'
#' @param height_cm,weight_kg Height and weight.
#' @param formula `"mosteller"` or `"dubois"`.
#' @return Numbers, m².
#' @references Mosteller RD. N Engl J Med 1987;317:1098. \doi{10.1056/NEJM198710223171717}
#'
#'   DuBois D, DuBois EF. Arch Intern Med 1916;17:863-871.
#' @examples
#' body_surface_area(180, 80)
#' body_surface_area(180, 80, "dubois")
#' @export
body_surface_area <- function(height_cm, weight_kg, formula = "mosteller") {
  check_choice(formula, c("mosteller", "dubois"), "formula")
  check_range(height_cm, "height_cm", 20, 280, "cm")
  check_range(weight_kg, "weight_kg", 0.3, 650, "kg")
  check_numeric(weight_kg, "weight_kg", length(height_cm))
  if (formula == "mosteller") {
    sqrt(height_cm * weight_kg / 3600)
  } else {
    0.007184 * weight_kg^0.425 * height_cm^0.725
  }
}

# A plausible number: outside the range the unit is wrong.
check_range <- function(x, name, low, high, unit) {
  check_numeric(x, name)
  wrong <- !is.na(x) & (x < low | x > high)
  if (any(wrong)) {
    abort_beatbybeat("bad_argument", "`", name, "` must be in ", unit, ", from ", low, " to ",
                     high, ", not ", format(x[wrong][1]), ".")
  }
  invisible(x)
}

#' What is known about the patient
#'
#' Only what you give is used and shown; nothing is guessed. Identity (a name, a number) goes into
#' the report if you give it here, and nowhere else.
#'
#' @param name,id Free text for the report, or `NULL`.
#' @param sex `"female"`, `"male"` or `NULL`: without it no number is called normal or abnormal.
#' @param age_years Age, or `NULL`.
#' @param height_cm,weight_kg For the body surface area, or `NULL`.
#' @param bsa_m2 Body surface area, where it is known already.
#' @param formula See [body_surface_area()].
#' @return A list of class `beatbybeat_patient`.
#' @examples
#' patient(sex = "female", age_years = 63, height_cm = 166, weight_kg = 70)
#' @export
patient <- function(name = NULL, id = NULL, sex = NULL, age_years = NULL, height_cm = NULL,
                    weight_kg = NULL, bsa_m2 = NULL, formula = "mosteller") {
  if (!is.null(name)) check_string(name, "name")
  if (!is.null(id)) check_string(id, "id")
  check_sex(sex)
  if (!is.null(age_years)) check_range(age_years, "age_years", 0, 130, "years")
  check_bsa(bsa_m2)
  if (is.null(height_cm) != is.null(weight_kg)) {
    abort_beatbybeat("bad_argument", "`height_cm` and `weight_kg` belong together: give both or ",
                     "neither.")
  }
  source <- if (!is.null(bsa_m2)) "given"
  if (is.null(bsa_m2) && !is.null(height_cm)) {
    bsa_m2 <- body_surface_area(height_cm, weight_kg, formula)
    source <- c(mosteller = "Mosteller", dubois = "DuBois")[[formula]]
  }
  structure(
    list(name = name, id = id, sex = sex, age_years = age_years, height_cm = height_cm,
         weight_kg = weight_kg, bsa_m2 = bsa_m2, bsa_source = source),
    class = "beatbybeat_patient"
  )
}

check_sex <- function(sex) {
  if (!is.null(sex) && !(is.character(sex) && length(sex) == 1L && sex %in% known_sexes)) {
    abort_beatbybeat("bad_argument", "`sex` must be \"female\", \"male\" or NULL (not known: no ",
                     "normal range is given then), not ", describe_value(sex), ".")
  }
  invisible(sex)
}

known_sexes <- c("female", "male")

check_bsa <- function(bsa_m2) {
  if (!is.null(bsa_m2)) {
    check_numeric(bsa_m2, "bsa_m2", 1L)
    check_range(bsa_m2, "bsa_m2", 0.1, 4, "m2")
  }
  invisible(bsa_m2)
}
