"""Export: rows of the lake as CSV, JSON or Parquet, streamed in constant memory (docs/EXPORT.md).

datasets.py    what can be exported
formats.py     as what
filters.py     which rows: what somebody asked for, checked
moments.py     dates and times in a filter
plan.py        what the child process is told
child.py       that process: DuckDB writes the rows to a pipe. Knows no Django, as plan and formats
process.py     its other end
freshness.py   publish first what is dirty, where that is quick
exporting.py   one export from filters to bytes, audited
answering.py   an export as an HTTP answer
parts.py       data sets as somebody may see them
resuming.py    one of them as an HTTP answer: with an ETag, and from where a download broke off
writing.py     an export into a file or a pipe
"""
