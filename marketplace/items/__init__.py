"""What pages and the API show of the marketplaces: items with their figures, read from roll-ups only.

query.py       what somebody asks for: search, filters, sort, page
figures.py     the window of 30 days as of the last publish: invocations, people, trend, days
by_day.py      the numbers of many days in one row of a query
records.py     an item of the list
search.py      which plugins the words and the kind of a query fit
matching.py    which parts of an item the words of a query are about
listing.py     the list, in few queries whatever the number of items
ordering.py    the sorts
details.py     one item: its components, each with its own usage, and its days
"""
