"""Effects and once-keys: what became of each document at each destination, and what people decided about it."""
