"""`agnes.wsgi` with little patience for clients that stop reading an export."""

from agnes.wsgi import application
from telemetry.export import answering

answering.PATIENCE_SECONDS = 2

__all__ = ["application"]
