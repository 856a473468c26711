"""The run folder: what was asked, what was learnt, what was answered."""
