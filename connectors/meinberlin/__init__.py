"""mein.berlin (a4-meinberlin): the Berlin's platform for participation; proposals are read from it."""
