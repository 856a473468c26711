"""What a run is for: answers to new speech, models to ask, what a path is."""
