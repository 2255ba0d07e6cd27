"""What a person's marketplace holds, and what of their stack it does not hold, and why."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings

from accounts.models import User
from marketplace.models import EntityState, Plugin, StackItem, StoreVersion
from marketplace.plugins.records import SourceKind
from marketplace.serving.names import assign_names
from telemetry.models import Source

# Another one has everything built anew: raise it when what is built of the same plugins changes.
FORMAT = 1
_CREDENTIALS = re.compile(r"(?i)https?://[^/?#]*@")
# What an entry brings beside what we write ourselves.
_WRITTEN_ANEW = ("name", "source")


@dataclass(frozen=True)
class ServedPlugin:
    """`name` is what people install, `digest` stands for the content.

    `upload` is the version of an item of the flea market; `entry` is what the marketplace's own entry says,
    without name and source.
    """

    plugin: Plugin
    name: str
    digest: str
    upload: StoreVersion | None
    entry: dict[str, Any]

    @property
    def is_remote(self) -> bool:
        """Hosted elsewhere: Claude Code fetches it from there."""
        return self.upload is None and self.plugin.source_kind != SourceKind.FOLDER


@dataclass(frozen=True)
class View:
    """`left_out` says, by id, why plugins of the stack are not served; `renames` maps former names."""

    name: str
    plugins: tuple[ServedPlugin, ...]
    renames: dict[str, str]
    left_out: dict[int, str]

    @cached_property
    def key(self) -> str:
        """Equal exactly where the same is served."""
        plugins = [[it.plugin.ref_id, it.name, it.digest, it.entry] for it in self.plugins]
        described = json.dumps([FORMAT, self.name, plugins, self.renames], sort_keys=True)
        return hashlib.blake2b(described.encode(), digest_size=20).hexdigest()


def view_of(user: User) -> View:
    """Where two plugins have one namespace, which `add_to_stack` refuses but a sync may bring about, the
    curated one is served, or the older."""
    assign_names()
    plugins = {plugin.pk: plugin for plugin in map(successor, _stack(user))}
    left_out = {pk: reason for pk, plugin in plugins.items() if (reason := why_not_served(plugin))}
    served = [_served(plugin) for plugin in plugins.values() if plugin.pk not in left_out]
    served = list(_with_own_namespaces(served, left_out))
    return View(
        settings.MARKETPLACE_NAME,
        tuple(sorted(served, key=lambda it: it.name)),
        _renames(served),
        left_out,
    )


def successor(plugin: Plugin) -> Plugin:
    """What a plugin that left its marketplace is called now."""
    seen: set[int] = set()
    while plugin.valid_to and plugin.renamed_to and plugin.pk not in seen:
        seen.add(plugin.pk)
        plugin = plugin.renamed_to
    return plugin


def why_not_served(plugin: Plugin) -> str | None:
    """In a sentence for the person who has it in their stack."""
    if plugin.source == Source.FLEA and not _is_published(plugin):
        return "It was withdrawn, taken down, or waits for an admin."
    if plugin.valid_to:
        return "It has left its marketplace."
    if plugin.does_not_load is not None:
        return f"Claude Code does not load it: {plugin.does_not_load}."
    if plugin.source_kind == SourceKind.COMMAND:
        return "Installing it would run a command on your machine, which Agnes does not pass on."
    if _has_credentials(plugin.entry.get("source")):
        return "The address that it is fetched from holds credentials, which Agnes does not pass on."
    return None


def namespace_key(plugin: Plugin) -> str:
    """Plugins with one key cannot be in one stack. Case does not tell folders apart everywhere."""
    return plugin.namespace.casefold()


def _stack(user: User) -> Iterator[Plugin]:
    items = StackItem.objects.filter(user=user).select_related(
        "plugin__marketplace", "plugin__served_name", "plugin__entity__served", "plugin__renamed_to"
    )
    for item in items.defer("plugin__readme", "plugin__notes"):
        yield item.plugin


def _is_published(plugin: Plugin) -> bool:
    entity = getattr(plugin, "entity", None)
    return entity is not None and entity.state == EntityState.PUBLISHED and plugin.valid_to is None


def _has_credentials(source: Any) -> bool:
    if not isinstance(source, dict):
        return False
    addresses = [value for key in ("url", "repo", "registry") if isinstance(value := source.get(key), str)]
    return any(map(_CREDENTIALS.match, addresses))


def _served(plugin: Plugin) -> ServedPlugin:
    if plugin.source == Source.FLEA:
        version = plugin.entity.served
        assert version is not None
        entry = {"description": plugin.description, "version": plugin.version}
        return ServedPlugin(plugin, plugin.served_name.name, version.digest, version, entry)
    entry = {key: value for key, value in plugin.entry.items() if key not in _WRITTEN_ANEW}
    if plugin.source_kind != SourceKind.FOLDER:
        entry["source"] = plugin.entry.get("source")
    return ServedPlugin(plugin, plugin.served_name.name, plugin.digest, None, entry)


def _with_own_namespaces(served: Iterable[ServedPlugin], left_out: dict[int, str]) -> Iterator[ServedPlugin]:
    holders: dict[str, ServedPlugin] = {}
    for one in sorted(served, key=lambda it: (it.plugin.source != Source.CURATED, it.plugin.pk)):
        holder = holders.setdefault(namespace_key(one.plugin), one)
        if holder is one:
            yield one
        else:
            left_out[one.plugin.pk] = (
                f"It has the namespace {one.plugin.namespace}, as {holder.plugin.label} in your stack has."
            )


def _renames(served: Iterable[ServedPlugin]) -> dict[str, str]:
    """All former names of what is served, whoever had them, so that equal stacks have equal renames."""
    renames: dict[str, str] = {}
    waiting = {one.plugin.pk: one.name for one in served}
    seen = set(waiting)
    while waiting:
        former = Plugin.objects.filter(renamed_to__in=waiting, valid_to__isnull=False)
        rows = former.values_list("pk", "served_name__name", "renamed_to")
        found = [(pk, name, waiting[to]) for pk, name, to in rows if to and pk not in seen]
        renames.update({name: now for _, name, now in found if name})
        waiting = {pk: now for pk, _, now in found}
        seen.update(waiting)
    return dict(sorted(renames.items()))
