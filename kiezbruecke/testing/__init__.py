"""Tools for tests: numbered crash points (`crash`) and a real PostgreSQL (`postgres`). Imports no test-only package."""
