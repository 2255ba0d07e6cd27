"""What the log leaves out."""

import logging

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation

CLIENT_MISTAKES = (BadRequest, PermissionDenied, SuspiciousOperation)


class ClientMistakesInOneLine(logging.Filter):
    """Anybody can send a wrong Host or a NUL: the message says all, so no traceback and no ERROR."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], CLIENT_MISTAKES):
            record.exc_info = record.exc_text = None
            if record.levelno > logging.WARNING:
                record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True
