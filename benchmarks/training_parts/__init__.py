"""Parts of training.py: one file a question, and what they share."""
