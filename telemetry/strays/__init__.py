"""What crashes, kills and operators leave behind, for `manage.py doctor`: each examination yields findings.

stored_files.py  transcripts without a row, and rows without their file
spool.py         leftovers of what was killed, indexes of transcripts that are gone
lake.py          files that no version of the lake's tables knows, copies that nobody needs
copies.py        events and messages that are there twice
"""
