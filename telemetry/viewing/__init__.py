"""One transcript as people read it (docs/READING_TRANSCRIPTS.md).

indexing.make_index   one pass over the raw bytes: which line stands on which page, tokens of each turn
index.Index           that index, a small SQLite file; index_files keeps it in the spool folder
entries.entries_of    what one JSON object of a transcript says, as entries; pure Python, a file for each
                      kind of record
pages.read_page       the entries of one page, with results at their calls and subagents below them
timeline              the time line as SVG
parts, lines          the stored files, and places in their bytes
wording, visible      values as text for people, with marks for what nobody sees
"""
