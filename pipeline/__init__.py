"""The stages as plain functions: extract, train, evaluate, predict."""
