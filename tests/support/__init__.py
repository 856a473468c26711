"""What tests have in common: corpora and stores in a second, processes, and ways to die."""
