"""How a hub is: its health, what `hub doctor` looks over, and what the check warns of."""
