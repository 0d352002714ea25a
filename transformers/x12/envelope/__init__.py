"""What stands around transactions: delimiters, characters, the scan of a body, control numbers."""
