"""Runs to one page that people look at, its figures as pictures and its data as tables."""
