"""What pages and the API show of the marketplaces: items with their figures, read from roll-ups only.

query.py       what somebody asks for: search, filters, sort, page
figures.py     the window of 30 days as of the last publish: invocations, people, trend, days
records.py     an item of the list
search.py      which plugins the words and the kind of a query fit
listing.py     the list, in few queries whatever the number of items
ordering.py    the sorts
details.py     one item: its components, each with its own usage, and its days
"""
