"""What goes when a person is erased (docs/PRIVACY.md), of all apps in the same form; agnes/erasing runs it.

subject.py   who is erased, and what texts name them
kinds.py     one kind of thing that there is of a person: counted, then removed
people.py    the person's row: locked out first, a pseudonym at last
traces.py    what this app keeps of a person
"""
