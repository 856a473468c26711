"""What a report says, gathered from runs as plain values; nothing is drawn here."""
