"""The lake: a columnar copy of what was extracted and rolled up, for analysis (docs/LAKE.md).

tables.py      which tables it has, with their columns and partitions
location.py    where it lies, and how to reach it
snapshot.py    the versions of the tables that belong together
writing.py     how the rows of some days are replaced
publishing.py  what the publisher does to it
vacuuming.py   removal of what no snapshot needs any more
door.py        the one way to read it: a DuckDB connection on a snapshot
"""
