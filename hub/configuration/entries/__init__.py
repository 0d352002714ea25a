"""What the files declare, compiled: routes, steps, connections, agreements, facts."""
