"""The commit that was fetched, parsed, outside of any transaction."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings

from marketplace.errors import NotAMarketplace, RepositoryDamaged
from marketplace.git.addresses import read_address
from marketplace.git.commit_tree import CommitTree
from marketplace.git.fetching import discard, fetch
from marketplace.git.running import Limits
from marketplace.git.tokens import read_token
from marketplace.models import Marketplace
from marketplace.plugins import parse_marketplace
from marketplace.plugins.errors import FileUnreadable, PluginError
from marketplace.plugins.records import MarketplaceRecord, PluginRecord, SourceKind

README_BYTES = 128 * 1024
# Of all plugins together; those beyond it are left out.
READMES_BYTES = 64 * 1024 * 1024
# So much of a commit stands for the version of a plugin that names none.
VERSION_DIGITS = 12


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
    plugins = []
    for plugin in record.plugins:
        readme, is_cut = _readme(plugin, tree, min(left, README_BYTES))
        left -= len(readme)
        has_own_version = plugin.version != commit[:VERSION_DIGITS]
        digest = _digest(plugin, tree, has_own_version=has_own_version)
        plugins.append(
            ReadPlugin(plugin, digest, readme.decode("utf-8-sig", "replace"), is_cut, has_own_version)
        )
    return plugins


def _readme(plugin: PluginRecord, tree: CommitTree, limit: int) -> tuple[bytes, bool]:
    if plugin.readme_path is None:
        return b"", False
    try:
        content = tree.read(plugin.readme_path, limit + 1)
    except FileUnreadable:
        return b"", False
    return content[:limit], len(content) > limit


def _digest(plugin: PluginRecord, tree: CommitTree, *, has_own_version: bool) -> str:
    """Of what was read and of the plugin's files; not of a version that is just the commit."""
    described = repr(plugin if has_own_version else replace(plugin, version=""))
    digest = hashlib.blake2b(described.encode("utf-8", "surrogatepass"), digest_size=16)
    if plugin.source.kind is SourceKind.FOLDER:
        digest.update(tree.digest(plugin.source.path).encode())
    return digest.hexdigest()
