"""Clips to vectors: which run together, in which windows."""
