"""Standards' files and forms: which schemas we hold, how foreign XML is read, how xdomea names and packs."""
