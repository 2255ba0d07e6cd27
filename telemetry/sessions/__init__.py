"""Sessions as people look at them: a main transcript with those of its subagents beside it.

filters.py       which sessions somebody asks for
conditions.py    what is asked as conditions: which one leads along an index, what is tested at each session
finding.py       them, newest first, by page: quick however many there are
rows.py          what is shown of each, in few queries however many are shown
activity.py      what a person did in the last days, from roll-ups
reading.py       the bytes of a transcript
downloading.py   one transcript as a download
answering.py     downloads as HTTP answers
zipping.py       all transcripts of a person as a zip
"""
