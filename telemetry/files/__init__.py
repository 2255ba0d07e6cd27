"""What lies on disk or in a bucket beside the database.

storage   where transcripts lie, compressed
spool     what is under way
disk      how much room there is
"""
