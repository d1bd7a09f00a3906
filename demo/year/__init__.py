"""`make year`: a district's year in minutes, against books that are kept without the software."""
