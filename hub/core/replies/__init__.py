"""What a far end's reply means, and what is taken from it."""
