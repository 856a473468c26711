"""Samples: parts of a file, channels on their way to one, any rate on its way to 16 kHz."""
