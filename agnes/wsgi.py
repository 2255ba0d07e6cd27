"""The web server's entry: `gunicorn agnes.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agnes.settings")
application = get_wsgi_application()
