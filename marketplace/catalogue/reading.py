"""The commit that was fetched, parsed, outside of any transaction."""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

from django.conf import settings

from marketplace.git.addresses import read_address
from marketplace.git.commit_tree import CommitTree
from marketplace.git.errors import NotAMarketplace, RepositoryDamaged
from marketplace.git.fetching import discard, fetch
from marketplace.git.running import Limits
from marketplace.git.tokens import read_token
from marketplace.models import Marketplace
from marketplace.plugins import limits as parsing_limits
from marketplace.plugins import parse_marketplace
from marketplace.plugins.errors import FileUnreadable, PluginError
from marketplace.plugins.layout import Layout
from marketplace.plugins.records import VERSION_DIGITS, MarketplaceRecord, PluginRecord, SourceKind
from marketplace.plugins.report import Report
from marketplace.plugins.trees.tree import Tree

README_BYTES = 128 * 1024
# Of all plugins together; those beyond it are left out.
READMES_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class ReadPlugin:
    record: PluginRecord
    digest: str
    readme: str
    readme_is_cut: bool
    has_own_version: bool


@dataclass(frozen=True)
class ReadMarketplace:
    commit: str
    record: MarketplaceRecord
    plugins: list[ReadPlugin]


def repository_of(marketplace: Marketplace) -> Path:
    """Where this machine keeps what it fetched."""
    return Path(settings.DATA_DIR) / "marketplaces" / f"{marketplace.slug}.git"


def read(marketplace: Marketplace, limits: Limits) -> ReadMarketplace:
    """Fetch and parse. Raises SyncFailed, TokenRefused, AddressRefused."""
    try:
        return _read(marketplace, limits)
    except RepositoryDamaged:
        discard(repository_of(marketplace))
        return _read(marketplace, limits)


def _read(marketplace: Marketplace, limits: Limits) -> ReadMarketplace:
    token = read_token(marketplace.token_env) if marketplace.token_env else ""
    repository = repository_of(marketplace)
    commit = fetch(repository, read_address(marketplace.url), marketplace.ref, token, limits)
    try:
        with CommitTree(repository, commit, limits) as tree:
            record = parse_marketplace(tree, commit)
            return ReadMarketplace(commit, record, _with_files(record, tree, commit))
    except PluginError as error:
        raise NotAMarketplace(
            f"This commit holds no marketplace: {error}",
            "The repository needs a valid .claude-plugin/marketplace.json at its root.",
        ) from None


def _with_files(record: MarketplaceRecord, tree: CommitTree, commit: str) -> list[ReadPlugin]:
    left = READMES_BYTES
    files = _Files(tree)
    plugins = []
    for plugin in record.plugins:
        readme, is_cut = read_readme(plugin, tree, min(left, README_BYTES))
        left -= len(readme)
        has_own_version = plugin.version != commit[:VERSION_DIGITS]
        digest = _digest(plugin, files, has_own_version=has_own_version)
        plugins.append(
            ReadPlugin(plugin, digest, readme.decode("utf-8-sig", "replace"), is_cut, has_own_version)
        )
    return plugins


def read_readme(plugin: PluginRecord, tree: Tree, limit: int) -> tuple[bytes, bool]:
    """Its first `limit` bytes, and whether there are more."""
    if plugin.readme_path is None:
        return b"", False
    try:
        content = tree.read(plugin.readme_path, limit + 1)
    except FileUnreadable:
        return b"", False
    return content[:limit], len(content) > limit


class _Files:
    """What the files of a plugin are, symlinks followed."""

    def __init__(self, tree: CommitTree) -> None:
        self._tree = tree

    def digest(self, folder: str) -> str:
        own = self._tree.digest(folder)
        if not self._tree.has_links(folder):
            return own
        digest = hashlib.blake2b(own.encode(), digest_size=16)
        for found in islice(self._layout.expanded(folder), parsing_limits.ENTRIES):
            named = f"{found.below}\0{self._tree.identity(found.path)}\0"
            digest.update(named.encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    @cached_property
    def _layout(self) -> Layout:
        return Layout(self._tree, Report())


def _digest(plugin: PluginRecord, files: _Files, *, has_own_version: bool) -> str:
    """Of what was read and of the plugin's files; not of a version that is just the commit."""
    described = repr(plugin if has_own_version else replace(plugin, version=""))
    digest = hashlib.blake2b(described.encode("utf-8", "surrogatepass"), digest_size=16)
    if plugin.source.kind is SourceKind.FOLDER:
        digest.update(files.digest(plugin.source.path).encode())
    return digest.hexdigest()
