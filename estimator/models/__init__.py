"""Vectors in, class probabilities out: the method and the controls it stands beside."""
