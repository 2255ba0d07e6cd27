"""The lake: a columnar copy of what was extracted and rolled up, for analysis (docs/LAKE.md).

tables.py        which tables it has, with their columns and partitions
location.py      where it lies, and how to reach it
store_errors.py  what the libraries raise, as our own errors
together.py      work on several tables at once

Writing:
rows.py          rows of the database as Arrow batches
writing.py       how the rows of some days are replaced
opening.py       the tables as the last publish left them, or a lake started anew
publishing.py    what the publisher does to it
vacuuming.py     removal of what no snapshot needs any more
half_written.py  files that a killed publisher left

Reading:
snapshot.py      the versions of the tables that belong together
files.py         the files that one version of a table consists of
caching.py       copies of a bucket's files on this machine
door.py          the one way to read it: a DuckDB connection on a snapshot
reading.py       the door on what was published last
"""
