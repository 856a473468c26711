"""The figures of a report, each drawn from a table that is its data."""
