"""What an item brings, by kind, each with its identifier and its own use."""

from dataclasses import dataclass

from django.utils.safestring import SafeString

from marketplace.items.details import ItemDetails, UsedComponent
from marketplace.models import Component
from marketplace.pages.kinds import WORDS, heading
from telemetry.charts import sparkline


@dataclass(frozen=True)
class Part:
    """`counted` is False for what no transcript names, such as a hook."""

    component: Component
    used: UsedComponent
    counted: bool

    @property
    def sparkline(self) -> SafeString:
        return sparkline(self.used.usage.daily)

    @property
    def element_id(self) -> str:
        return f"identifier-{self.component.pk}"


@dataclass(frozen=True)
class Kind:
    heading: str
    parts: list[Part]

    @property
    def counted(self) -> bool:
        return any(part.counted for part in self.parts)


def parts_of(found: ItemDetails) -> list[Kind]:
    kinds = [Kind(heading(kind), _parts(found, kind)) for kind in WORDS]
    return [kind for kind in kinds if kind.parts]


def _parts(found: ItemDetails, kind: str) -> list[Part]:
    return [
        Part(used.component, used, used.component.canonical_id is not None)
        for used in found.components
        if used.component.kind == kind
    ]
