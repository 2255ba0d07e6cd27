"""The files of an upload, whatever they came in: names first, then contents, one at a time."""
