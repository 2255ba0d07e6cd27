"""Under which name each plugin is served.

Its own, unless an older plugin has that: then with its marketplace's short name behind it. A name once given
is kept, whatever comes and goes later.
"""

from collections.abc import Iterator
from itertools import count

from marketplace.models import Plugin, ServedName
from marketplace.models.lengths import NAME_LENGTH

ROWS_AT_ONCE = 500


def assign_names() -> int:
    """Give a name to every plugin that has none, the oldest first. Returns how many got one."""
    assigned = 0
    # Another process may take a name meanwhile: the next turn gives another one.
    while unnamed := list(_unnamed()):
        taken = {name.casefold() for name in ServedName.objects.values_list("name", flat=True)}
        rows = [ServedName(plugin=plugin, name=_take(plugin, taken)) for plugin in unnamed]
        ServedName.objects.bulk_create(rows, batch_size=ROWS_AT_ONCE, ignore_conflicts=True)
        assigned += len(rows)
    return assigned


def _unnamed() -> Iterator[Plugin]:
    plugins = Plugin.objects.filter(served_name=None).select_related("marketplace").order_by("pk")
    yield from plugins.only("name", "marketplace__slug")


def _take(plugin: Plugin, taken: set[str]) -> str:
    """Names that differ in case only are one folder on macOS and Windows."""
    name = next(name for name in _candidates(plugin) if name.casefold() not in taken)
    taken.add(name.casefold())
    return name


def _candidates(plugin: Plugin) -> Iterator[str]:
    yield plugin.name
    if plugin.marketplace:
        yield _with(plugin.name, plugin.marketplace.slug)
    for number in count(2):
        yield _with(plugin.name, str(number))


def _with(name: str, ending: str) -> str:
    return f"{name[: NAME_LENGTH - len(ending) - 1]}-{ending}"
