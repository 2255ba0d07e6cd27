"""From source files to the one plugin that is stored: kind, slug, and where each file goes."""
