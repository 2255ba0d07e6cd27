"""Fill the tables of attribution anew from the stored catalogue."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts import audit
from marketplace.catalogue.attributing import attribute_catalogue
from marketplace.management.reporting import print_next_step
from telemetry.models import Source


class Command(BaseCommand):
    help = (
        "Fill the tables of attribution anew from the stored catalogue, after a repair or on a first "
        "deployment. Running it twice changes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with audit.context("command"):
            identifiers = attribute_catalogue(Source.CURATED) + attribute_catalogue(Source.FLEA)
            audit.record("marketplace.backfill_attribution", params={"identifiers": identifiers})
        self.stdout.write(f"{identifiers} identifiers may mean something else now.")
        print_next_step(self.stdout)
