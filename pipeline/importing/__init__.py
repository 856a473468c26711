"""Vectors that others made, into a store."""
