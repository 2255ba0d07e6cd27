"""Who stops reading or sending gets an error that ends the request, instead of a thread for ever."""

import socket
import struct

from django.http import HttpRequest

# Who takes or sends no byte for so long is given up.
PATIENCE_SECONDS = 60


def lose_patience(request: HttpRequest) -> socket.socket | None:
    """From now on. Returns the connection, if the server tells it."""
    connection = request.META.get("gunicorn.socket")
    if not isinstance(connection, socket.socket):
        return None
    limit = struct.pack("ll", PATIENCE_SECONDS, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    return connection
