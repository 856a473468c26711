"""The parts of `benchmarks/extraction.py`: clips, weights, the systems, and how they are timed."""
