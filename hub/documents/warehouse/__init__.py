"""What warehouses and retailers say of stock, and what they are told."""
