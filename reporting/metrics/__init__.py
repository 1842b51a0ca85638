"""The numbers that are asked for every day: pure arithmetic over plain rows, and the selectors that fetch them."""
