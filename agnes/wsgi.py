"""The web server's entry: `gunicorn agnes.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

# What is written here is nobody else's.
os.umask(0o077)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agnes.settings")
application = get_wsgi_application()
