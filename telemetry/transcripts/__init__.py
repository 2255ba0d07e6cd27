"""Read Claude Code transcripts: bytes in, typed records and figures out. No Django here.

chunks of bytes -> reading.RecordReader -> records.Record
                   scanning.scan           whose file is it (key, time span, fingerprint)
                   fingerprints            which of its records belong to an earlier transcript
                   extracting.extract      events, messages, figures (docs/COUNTING.md)
                   verifying               how it differs from known_format
                   redacting               a copy without records that may not be kept

extracting keeps events in event_log and messages in message_log, in bounded memory (spilling); prompts says
who wrote a user record, results how a call ended, values what single values mean.
"""
