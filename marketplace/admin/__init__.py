"""The admin pages of the marketplaces."""

from marketplace.admin import marketplaces, store  # noqa: F401
