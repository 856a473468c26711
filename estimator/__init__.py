"""Vectors in, classes out: the method of Gen-SER, its baselines, and the numbers."""
