"""A demo: there is no server here."""
