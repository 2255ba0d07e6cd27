"""Curated marketplaces, the flea market, catalogue pages, serving to Claude Code."""
