"""Questions in plain language: a model writes SQL, and it runs behind walls (docs/ASK.md).

asking.py      one question from words to rows; history, audit
turns.py       who may ask now
prompt/        what a model is told
providers/     who is asked
validating/    whether a statement only reads the lake's views
running.py     runs it in a process of its own: worker.py, confined by kernel.py
chart.py       the picture that an answer invites
cells.py       values of DuckDB as JSON has them
"""
