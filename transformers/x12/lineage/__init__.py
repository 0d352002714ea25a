"""Files and transactions for people: which bytes gave which field, trees, differences."""
