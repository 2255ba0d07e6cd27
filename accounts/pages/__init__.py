"""Pages for everybody who can sign in: their own access tokens."""
