"""Commands about messages: where they are, what was sent, what waits, and what somebody decides."""
