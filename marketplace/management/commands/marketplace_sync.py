"""Sync marketplaces by hand; the task worker does it every night."""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from accounts import audit
from accounts.errors import AgnesError
from marketplace.catalogue.registering import find_marketplace
from marketplace.catalogue.syncing import sync_marketplace
from marketplace.management.reporting import print_next_step, summary
from marketplace.models import Marketplace
from telemetry.management.interruption import sigterm_interrupts


class Command(BaseCommand):
    help = "Fetch marketplaces and replace their catalogues: those that are named, or all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slugs", nargs="*", metavar="SLUG")

    def handle(self, *args: Any, slugs: list[str], verbosity: int, **options: Any) -> None:
        try:
            with audit.context("command"), sigterm_interrupts():
                failed = self._sync(_chosen(slugs), quiet=verbosity == 0)
                print_next_step(self.stdout)
        except AgnesError as error:
            raise CommandError(error.text) from error
        except KeyboardInterrupt:
            raise CommandError("Interrupted: run it again to go on.", returncode=130) from None
        if failed:
            raise CommandError(f"Not synced, their last good catalogue stays: {', '.join(failed)}.")

    def _sync(self, marketplaces: list[Marketplace], *, quiet: bool) -> list[str]:
        """Each for itself; returns the slugs of those that failed."""
        failed = []
        for marketplace in marketplaces:
            try:
                with _progress(marketplace.slug, quiet=quiet) as on_stage:
                    report = sync_marketplace(marketplace, on_stage=on_stage)
                self.stdout.write(summary(report))
            except AgnesError as error:
                failed.append(marketplace.slug)
                self.stderr.write(f"{marketplace.slug}: {error.text}")
        if not marketplaces:
            self.stdout.write("There is no marketplace yet: add one with `manage.py marketplace_add`.")
        return failed


def _chosen(slugs: list[str]) -> list[Marketplace]:
    if not slugs:
        return list(Marketplace.objects.registered())
    return [find_marketplace(slug) for slug in dict.fromkeys(slugs)]


@contextmanager
def _progress(slug: str, *, quiet: bool) -> Iterator[Callable[[str], None]]:
    """What is being done, on a terminal; nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield lambda stage: None
        return
    with Console(stderr=True).status(slug) as status:
        yield lambda stage: status.update(f"{slug}: {stage} …")
