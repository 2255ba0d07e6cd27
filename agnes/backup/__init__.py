"""A whole installation as one file, and back again (docs/BACKUP.md).

The file is a tar, written and read in one pass and in constant memory:

    agnes-backup.json                   the format, first: what it is can be told at once
    files/transcripts/…, files/store/…  stored files, as they lie in the storage
    tables/usage_events/000001.ndjson.zst   rows, each table in chunks; the first line names the columns
    secrets/token_pepper                secrets that Agnes made itself
    checksums/000001.sha256             the SHA-256 of each member since the last such list
    manifest.json                       last: what there must be, with counts and totals

format.py      names in the archive, and the manifest
archive.py     writing and reading it, with checksums
tables.py      which tables and columns
snapshot.py    a second connection that sees one moment of the database
dumping.py     rows to chunks
loading.py     chunks to rows
emptying.py    tables without rows, before and after
files.py       the stored files that a database names
keys.py        sets of their keys, on disk
schema.py      migrations: of the file, and of the database
totals.py      figures that must be the same afterwards
secrets.py     secrets kept in the data folder
making.py      manage.py backup
checking.py    manage.py verify FILE
restoring.py   manage.py restore
telling.py     what a backup holds, for people
"""
