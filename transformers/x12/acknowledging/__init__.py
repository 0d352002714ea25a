"""What we say of what a partner sent: 997, 999, TA1 and 824."""
