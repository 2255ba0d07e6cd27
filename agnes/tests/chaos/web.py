"""The web server's entry, `gunicorn agnes.tests.chaos.web`: it dies where it was told to."""

from agnes.tests.chaos.dying import prepare_to_die
from agnes.wsgi import application

__all__ = ["application"]

prepare_to_die()
