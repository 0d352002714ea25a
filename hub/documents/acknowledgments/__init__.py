"""What a receiver says of what it was sent."""
