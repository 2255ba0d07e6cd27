import logging

from django.apps import AppConfig


class AgnesConfig(AppConfig):
    name = "agnes"

    def ready(self) -> None:
        from agnes import checks

        checks.register()
        # Python's own warnings are lines of the log, too.
        logging.captureWarnings(True)
