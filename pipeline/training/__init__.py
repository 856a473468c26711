"""Vectors to a run: a model per fold, and its predictions."""
