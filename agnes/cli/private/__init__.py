"""Sessions that never leave this machine.

marks      the list: one file a session, which is there or not
marking    what `agnes mark-private` does
records    which records are a session's own, as hashes
copies     a transcript without copies of their records
current    that filter as it is at each moment, while a push goes on
telling    the server, which removes what it has and refuses the session from then on
"""
