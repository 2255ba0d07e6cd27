"""Whether a statement that a stranger wrote only reads the lake's views. Knows no Django.

text.py          the text itself: length, characters, brackets
parsing.py       sqlglot's parser, with an end
first_parser.py  what sqlglot makes of it
session_words.py words that are columns or else functions of the session
second_parser.py what DuckDB itself makes of it, without running it
without_tree.py  the same for what DuckDB shows no tree of
functions.py     which functions it may call, from functions.json
names.py         which names may stand for a table
rejection.py     why a statement is not run

Two parsers must agree, since each overlooks something. `first_parser.validate_text` needs no DuckDB;
`second_parser.validate_tree` is for the process that will run the statement, which need not wait for sqlglot.
"""
