"""The web server's entry: `gunicorn agnes.wsgi`."""

import os
import sys

from django.core.wsgi import get_wsgi_application

from agnes.env import WrongSettings

# A gunicorn whose worker ends with this status ends, too, instead of starting the worker anew for ever.
GUNICORN_APP_LOAD_ERROR = 4

# What is written here is nobody else's.
os.umask(0o077)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agnes.settings")
try:
    application = get_wsgi_application()
except WrongSettings as error:
    print(error, file=sys.stderr, flush=True)
    raise SystemExit(GUNICORN_APP_LOAD_ERROR) from None
