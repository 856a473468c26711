"""A corpus of synthetic voices, so that everything can be tried with no download."""
