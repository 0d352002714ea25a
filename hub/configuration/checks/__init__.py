"""What can only be seen in several entries together, or by a trial."""
