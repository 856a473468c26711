"""Parts of study.py: what is chosen among, how it is scored, and what is then tested."""
