"""Removing for good, and making anew: what operators and the clock do to stored data (docs/RETENTION.md,
docs/PRIVACY.md).

removing.py      rows that belong to some transcripts
doomed_files.py  stored files whose rows are gone
reprocess.py     everything that was extracted is extracted anew
lake_rebuilding.py    the lake is made anew from the database
pruning.py       what is older than the retention goes
freezing.py      when days freeze
old_rows.py      events and messages of frozen days
old_transcripts.py    files of old transcripts
withholding.py   a session that was marked private goes, and is refused from then on
copies.py        what copies of its records in other transcripts gave
stored_copies.py these copies themselves
leftovers.py     what killed uploads left of it
publishing_purges.py  the lake, without what was removed
listing.py       who was erased and what is withheld, in a file that outlives the database
erasing.py       what there is of a person (agnes/erasing)
frozen_figures.py     a person's part in the figures of frozen days
unfinished.py    whatever of this was not finished goes on
"""
