"""Kiezbrücke carries neighbourhood-budget decisions to the e-file and the budget system."""

__version__ = "0.1.0"
