"""Has a constant where a function should be."""

EXPECTS = "The notebook defines no function double"

double = [[0, 2, 4, 6], [8, 10, 12, 14], [16, 18, 20, 22]]
classify = 1
