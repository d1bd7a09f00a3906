"""Sheets that people drop into a folder, and lists that are put into one."""
