"""Collections of real schemas with labelled instances, run against a committed ratchet of outcomes."""
