"""What documents are made of: parties, lines, goods, money, dates."""
