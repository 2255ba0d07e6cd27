"""Transcripts to the server.

ledger     what was sent, to whom, and what became of it
locking    one push at a time
waiting    which transcripts are new or have grown
lines      a file up to its last complete line
body       what of it leaves: without copies of private sessions, redacted, compressed
sending    one transcript, and what the server says of it
pushing    all of them
detached   a push that goes on by itself, for hooks
"""
