"""XTA 2.1.1: how one authority hands a message to another; here to the e-file, and back from its box."""
