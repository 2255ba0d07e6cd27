"""`agnes.wsgi` with little patience for clients that stop reading an export."""

import agnes.wsgi
from accounts import slow_clients

application = agnes.wsgi.application
slow_clients.PATIENCE_SECONDS = 2
