"""Real servers for the tests: private, on the loopback, on free ports, with their data in a temporary folder."""
