library(testthat)
library(beatbybeat)

test_check("beatbybeat")
