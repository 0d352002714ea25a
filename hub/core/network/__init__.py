"""What listeners and connections have in common: requests, problems, crowds, failures, hosts."""
