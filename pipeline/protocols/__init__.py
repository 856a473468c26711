"""What is compared with what: classes, folds, and what they keep apart."""
