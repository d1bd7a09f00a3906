"""Applies rules and writes what comes of them: the oracle of the compiled form."""
