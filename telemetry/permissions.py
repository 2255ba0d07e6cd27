"""What staff may do with telemetry beside looking at its lists (SessionTranscript's Meta makes them)."""

READ_TRANSCRIPTS = "telemetry.read_transcripts"
EXPORT_USAGE = "telemetry.export_usage"
ASK_USAGE = "telemetry.ask_usage"
MANAGE_PROCESSING = "telemetry.manage_processing"
