"""A marketplace of the demo organisation, whose plugins its invented sessions use.

demo-tools/     what its repository holds
repository.py   that folder as a git repository in the data folder
market.py       registered and synced like any other, and taken out again
flea.py         items of the flea market, uploaded by its people
"""
