"""What is wrong with clips and with how they are split, before any number is believed."""
