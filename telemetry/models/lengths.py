"""How long the texts may be that come from transcripts."""

from telemetry.transcripts.values import NAME_CHARACTERS

# Names and identifiers: extraction cuts them (docs/COUNTING.md section 2).
NAME_LENGTH = NAME_CHARACTERS
# u<20 digits>_<64>_<64>.jsonl
SESSION_FILE_LENGTH = 160
