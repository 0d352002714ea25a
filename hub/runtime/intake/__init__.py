"""From an arrival to the confirmed copies of its documents."""
