"""Which processors there are.

To add one: a module beside this one, a line here, and a call in telemetry/tasks.py.
"""

from telemetry.errors import UnknownProcessor
from telemetry.processors.base import Processor
from telemetry.processors.usage import USAGE
from telemetry.processors.verification import VERIFICATION

PROCESSORS: dict[str, Processor] = {processor.name: processor for processor in (USAGE, VERIFICATION)}


def processor_named(name: str) -> Processor:
    """Raises UnknownProcessor."""
    if name not in PROCESSORS:
        raise UnknownProcessor(
            f"There is no processor {name!r}.",
            hint=f"Use one of: {', '.join(PROCESSORS)}.",
            fields={"processor": f"one of {', '.join(PROCESSORS)}"},
        )
    return PROCESSORS[name]
