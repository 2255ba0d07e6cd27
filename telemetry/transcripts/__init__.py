"""Read Claude Code transcripts: bytes in, typed records and figures out. No Django here.

chunks of bytes -> reading.RecordReader -> records.Record
                   scanning.scan           whose file is it (key, time span, fingerprint)
                   fingerprints            which of its records belong to an earlier transcript
                   extracting.extract      events, messages, figures (docs/COUNTING.md)
"""
