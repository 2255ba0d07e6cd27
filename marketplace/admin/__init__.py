"""The admin pages of the marketplaces."""

from marketplace.admin import marketplaces  # noqa: F401
