"""The pages of the marketplace: rendered on the server, usable without JavaScript."""
