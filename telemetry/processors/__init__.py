"""Processors: what is done with each transcript after it was stored (DESIGN: docs/ARCHITECTURE.md).

registry.py      which processors there are
runner.py        finds what is pending, claims a person, runs a processor over their transcripts
claims.py        one worker a person at a time
wakeup.py        asks the task queue for a run
library.py       a person's transcripts and their fingerprints, loaded once for a batch
usage.py         events, messages and summaries
verification.py  how a transcript differs from the format we know
"""
