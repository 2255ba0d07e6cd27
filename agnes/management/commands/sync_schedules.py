from typing import Any

from django.core.management.base import BaseCommand

from agnes import schedules


class Command(BaseCommand):
    help = "Write the schedules declared in agnes/schedules.py to the database (`start` does it too)."

    def handle(self, *args: Any, verbosity: int, **options: Any) -> None:
        names = schedules.sync()
        if verbosity:
            self.stdout.write(f"{len(names)} schedules: {', '.join(names)}")
