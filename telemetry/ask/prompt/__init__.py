"""What a model is told.

prefix.py     the same bytes for every question: rules, notes on DuckDB, the views, examples
digest.py     the views with a note for each column, from notes.py
turn.py       what changes: the question, the time, lists of values, sample rows
samples.py    invented rows, or real ones without what names people and places
"""
