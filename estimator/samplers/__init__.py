"""From x1 to x0 in N steps: one method a file."""
