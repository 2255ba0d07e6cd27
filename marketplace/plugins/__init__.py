"""Marketplaces and plugins of Claude Code, read in pure Python: a tree of files in, records out.

`parse_marketplace` reads a whole repository, `parse_plugin` one plugin. `exploding` turns what they
return into the identifiers that transcripts carry.
"""

from marketplace.plugins.parsing import parse_marketplace, parse_plugin

__all__ = ["parse_marketplace", "parse_plugin"]
