"""Class labels as points of the vectors' space, and back."""
