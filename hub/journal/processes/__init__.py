"""The processes that share a journal: which live, what each leases, remembers, and died over."""
