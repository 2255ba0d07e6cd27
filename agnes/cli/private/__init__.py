"""Sessions that never leave this machine.

marks      the list: one file a session, which is there or not
records    which records are a session's own, as hashes
copies     a transcript without copies of their records
telling    the server, which removes what it has and refuses the session from then on
"""
