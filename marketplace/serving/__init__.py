"""Everybody's personal marketplace: the plugins of their stack as a git repository that Claude Code adds.

stack.py         what a person has chosen: add, remove, list
names.py         under which name each plugin is served, unique on the server
view.py          what a person gets, and what not and why; equal views have one key
sources.py       the files of plugins: those of a marketplace's commit, those that were uploaded
contents.py      the files of one plugin as they are served
entries.py       its entry in the served marketplace.json, and its version
writing.py       git objects, written into packs
building.py      a view as a bare repository
repositories.py  the repositories on this machine: found, built, held while they are read, collected
shown.py         what a person was shown a moment ago
backend.py       git http-backend as a child, within limits
requests.py      the body that git sends
fetching.py      which repository answers a request
installing.py    the lines that people paste
"""
