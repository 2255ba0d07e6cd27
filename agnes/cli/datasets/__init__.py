"""Data sets that were pulled from the server, and queries of them on this machine.

catalogue    which there are
kept         the files, and what is known of them
downloading  a data set, or a part of one, into a file, on from where it broke off
querying     SQL over what is here, by DuckDB
"""
