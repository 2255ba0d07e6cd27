"""Where the files of plugins come from: the commit of their marketplace, or the stored upload."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from django.conf import settings

from marketplace.catalogue.reading import repository_of
from marketplace.git.addresses import read_address
from marketplace.git.commit_tree import CommitTree
from marketplace.git.environment import environment
from marketplace.git.errors import SyncFailed
from marketplace.git.fetching import fetch
from marketplace.git.running import GitExited, Limits, run_git
from marketplace.git.tokens import read_token
from marketplace.models import Marketplace
from marketplace.plugins.layout import Layout
from marketplace.plugins.report import Report
from marketplace.plugins.trees.tree import Tree
from marketplace.serving.errors import UpstreamMissing
from marketplace.serving.view import ServedPlugin
from marketplace.store.packs import opened_pack
from telemetry.leases import Lease, held

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PluginFiles:
    """A tree, and the folder in it that is the plugin's."""

    tree: Tree
    layout: Layout
    folder: str


class Sources:
    """Opens each marketplace once. Use it within `opened`."""

    def __init__(self, open_now: ExitStack) -> None:
        self._open_now = open_now
        self._commits: dict[int, tuple[Tree, Layout]] = {}

    def files_of(self, served: ServedPlugin) -> PluginFiles:
        """Raises UpstreamMissing or PackLost where they are not here and cannot be had."""
        if served.upload:
            pack = self._open_now.enter_context(opened_pack(served.upload))
            return PluginFiles(pack, Layout(pack, Report()), "")
        market = served.plugin.marketplace
        assert market is not None
        if market.pk not in self._commits:
            tree = self._open_now.enter_context(_commit_tree(market))
            self._commits[market.pk] = tree, Layout(tree, Report())
        return PluginFiles(*self._commits[market.pk], served.plugin.source_path)


@contextmanager
def opened() -> Iterator[Sources]:
    with ExitStack() as open_now:
        yield Sources(open_now)


def _commit_tree(market: Marketplace) -> CommitTree:
    """The worker has fetched it, maybe on another machine: then it is fetched here, too."""
    limits = Limits(monotonic() + settings.MARKETPLACE_FETCH_SECONDS, settings.MARKETPLACE_MAX_BYTES)
    repository = repository_of(market)
    if not _has_commit(repository, market.commit, limits):
        _fetch(market, repository)
    return CommitTree(repository, market.commit, limits)


def _has_commit(repository: Path, commit: str, limits: Limits) -> bool:
    if not (repository / "HEAD").exists():
        return False
    try:
        args = ["rev-parse", "--verify", "--quiet", f"{commit}^{{tree}}"]
        run_git(args, environment(repository), limits).close()
    except GitExited:
        return False
    return True


def _fetch(market: Marketplace, repository: Path) -> None:
    lease = Lease("marketplace_sync_leases", {"marketplace_id": market.pk})
    with held(lease) as ours:
        if not ours:
            raise UpstreamMissing(market.slug)
        seconds = settings.MARKETPLACE_FETCH_SECONDS
        limits = Limits(monotonic() + seconds, settings.MARKETPLACE_MAX_BYTES, lease.keep_alive)
        token = read_token(market.token_env) if market.token_env else ""
        try:
            fetch(repository, read_address(market.url), market.commit, token, limits)
        except SyncFailed as error:
            log.warning("%s was not fetched for serving: %s", market.slug, error.text)
            raise UpstreamMissing(market.slug) from error
