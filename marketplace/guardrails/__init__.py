"""What is uploaded to the flea market is looked at here: files in, a verdict and a normalised tree out.

Pure Python without Django; nothing of an upload is ever run, imported or fetched (docs/GUARDRAILS.md).

limits.py       how much is taken, and why so much
records.py      what goes in and comes out
archives/       files of an upload, one at a time, out of a .zip that is not trusted
normalising/    which kind it is, how it is called, and the one plugin that it becomes
checks/         one module a subject, listed in one table
inspecting.py   all of it, in order
subject.py      what the checks look at; reading.py reads each file of it once
credentials.py  how credentials look
citing.py       findings, with what they cite made safe
in_child.py     the same in a process with limits
child.py        that process; wire.py has what the two tell each other
packing.py      the form that is stored
"""

from marketplace.guardrails.in_child import inspect_in_child
from marketplace.guardrails.inspecting import inspect
from marketplace.guardrails.packing import Pack, digest_of, open_pack, pack, write_pack
from marketplace.guardrails.records import (
    Finding,
    Inspection,
    Kind,
    KnownNames,
    Severity,
    StoredFile,
    UploadedFile,
    Verdict,
)

__all__ = [
    "Finding",
    "Inspection",
    "Kind",
    "KnownNames",
    "Pack",
    "Severity",
    "StoredFile",
    "UploadedFile",
    "Verdict",
    "digest_of",
    "inspect",
    "inspect_in_child",
    "open_pack",
    "pack",
    "write_pack",
]
