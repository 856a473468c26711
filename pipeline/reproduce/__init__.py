"""The paper's experiments, asked of whatever corpora and encoders there are."""
