"""Sets any number of runs side by side: accuracy, differences, cost and pictures."""
