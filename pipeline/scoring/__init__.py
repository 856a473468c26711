"""A run to numbers, and to pictures of them."""
