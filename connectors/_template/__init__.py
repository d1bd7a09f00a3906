"""Example: says in one sentence what this system is."""
