"""What the log leaves out, and how its lines look."""

import json
import logging
from datetime import UTC, datetime

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation

from accounts.log_context import UnderWay, under_way
from agnes.redaction import redacted

CLIENT_MISTAKES = (BadRequest, PermissionDenied, SuspiciousOperation)


class ClientMistakesInOneLine(logging.Filter):
    """Anybody can send a wrong Host or a NUL: the message says all, so no traceback and no ERROR."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], CLIENT_MISTAKES):
            record.exc_info = record.exc_text = None
            if record.levelno > logging.WARNING:
                record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


class ExpectedChallenges(logging.Filter):
    """git comes without credentials first, every time: that is no news."""

    def filter(self, record: logging.LogRecord) -> bool:
        path = getattr(getattr(record, "request", None), "path", "")
        return not (path.startswith("/m/") and getattr(record, "status_code", None) == 401)


class TextFormatter(logging.Formatter):
    """A line for people, with the id of its request or task at the end."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        line = super().formatMessage(record)
        request_id = _under_way(record).request_id
        return f"{line} [{request_id}]" if request_id else line

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line; keys without a value are left out."""

    def format(self, record: logging.LogRecord) -> str:
        request = getattr(record, "request", None)
        request_id, task = _under_way(record)
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redacted(record.getMessage()),
            "request_id": request_id,
            "task": task,
            "method": getattr(request, "method", None),
            "path": redacted(getattr(request, "path", "")),
            "status": getattr(record, "status_code", None),
            "exception": self._exception(record),
        }
        return json.dumps({key: value for key, value in line.items() if value}, ensure_ascii=False)

    def _exception(self, record: logging.LogRecord) -> str:
        text = self.formatException(record.exc_info) if record.exc_info else record.exc_text
        return redacted(text or "")


def _under_way(record: logging.LogRecord) -> UnderWay:
    """What a request was answered is logged when it is over already: then the request has the id."""
    now = under_way()
    meta = getattr(getattr(record, "request", None), "META", {})
    return now if now.request_id else now._replace(request_id=meta.get("agnes.request_id", ""))
