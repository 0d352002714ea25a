"""What calling a SOAP server takes: the contract, the security header, the reply. No I/O but reading the vendored
contract."""
