"""The admin pages of telemetry: all for looking only, but for “Process again” of a transcript.

Every list must stay quick with a million rows: it is ordered and filtered along an index, its columns
cannot be sorted by, and nothing counts or scans a table (telemetry/tests/admin/test_a_million_rows.py).
One exception: the filter for transcripts that wait looks at all of them where almost none waits.
"""

from telemetry.admin import (  # noqa: F401
    attribution,
    events,
    findings,
    messages,
    people,
    processor_states,
    rollups,
    sessions,
    summaries,
    transcripts,
)
