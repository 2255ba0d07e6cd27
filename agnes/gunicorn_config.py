"""How gunicorn runs the web server: `gunicorn --config python:agnes.gunicorn_config agnes.wsgi`.

One process with threads: uploads and downloads wait for disks and clients, not for the processor, and what is
limited or counted in a process is so for the whole machine.
"""

import os
import sys
from typing import Any

from gunicorn import glogging

from agnes.env import WrongSettings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agnes.settings")
try:
    from agnes import settings
except WrongSettings as error:
    print(error, file=sys.stderr, flush=True)
    raise SystemExit(4) from None


class Logger(glogging.Logger):  # type: ignore[misc]
    """What gunicorn itself has to say looks like the rest of the log."""

    def setup(self, cfg: Any) -> None:
        # Only here: it needs Django's settings, which are read by now.
        from agnes.logs import JsonFormatter, TextFormatter

        super().setup(cfg)
        formatter = JsonFormatter() if settings.LOG_FORMAT == "json" else TextFormatter()
        for handler in self.error_log.handlers:
            handler.setFormatter(formatter)


bind = [address for address in (settings.AGNES_BIND, settings.METRICS_BIND) if address]
worker_class = "gthread"
workers = 1
# More than uploads that wait for a publish to end on SQLite, so that pages need not wait for them.
threads = settings.WEB_THREADS
graceful_timeout = 10
# Longer than anybody in front keeps a connection that they do not use: Caddy two minutes, load balancers and
# nginx one, httpx 5 seconds. Otherwise an upload now and then meets one that the server is just closing, and
# Caddy answers 502, since it must not send a POST twice. Here and not in the Caddyfile, so that it holds for
# each of them; a connection that waits takes no thread.
keepalive = 130
# Connections at once, those included: well below the 1024 files that systemd lets a service open. Near it
# connections are closed after their answer, and new ones wait to be taken.
worker_connections = 512
loglevel = "warning"
logger_class = Logger
# By default a web server in front may pass on SCRIPT_NAME, which is the client's own word, and with which an
# address means another page here than there.
forwarder_headers = ""
control_socket_disable = True


def post_fork(server: Any, worker: Any) -> None:
    # A page is many short steps, an upload a few long ones: a page waits for less at each of its own.
    sys.setswitchinterval(0.001)
