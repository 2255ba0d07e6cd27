"""Processors: what is done with each transcript after it was stored (docs/ARCHITECTURE.md).

base.py          what a processor is, and what it is given
registry.py      which processors there are
wakeup.py        asks the task queue for a run
runner.py        finds who has something pending, and claims a person
claims.py        one worker a person at a time
person.py        runs a processor over one person's pending transcripts
library.py       a person's transcripts in owner order, and which of them share records
attempts.py      the state row: attempts, success, failure
settling.py      which transcripts no processor has anything to do with
report.py        what one run did
processing.py    process what is pending, and publish: the one function behind every door
reprocessing.py  chosen transcripts again
progress.py      how far each processor is with a transcript
usage.py         events, messages and summaries
usage_rows.py    from what was extracted to rows of the usage tables
verification.py  how a transcript differs from the format we know
"""
