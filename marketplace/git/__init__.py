"""Repositories of marketplaces: fetched with the real git, read from a commit. Without Django's models.

addresses.py    which addresses and refs are fetched from at all
tokens.py       the token of a private repository, from the environment to the one host
environment.py  what git may see and do
running.py      one git command, within limits of time and size
failures.py     what git says when it fails, as errors that name the cure
fetching.py     one shallow fetch into a bare repository
commit_tree.py  the files of a commit, without a checkout
"""
