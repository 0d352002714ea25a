"""Floor 0: messages, facts, conditions, the route table, the retry decision, errors and ports. Pure."""
