"""The probability path between speech and label, and its schedules."""
