"""The parts of the SOAP source."""
