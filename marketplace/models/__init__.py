from marketplace.models.attribution import Reattribution, ReattributionIdentifier
from marketplace.models.marketplaces import Marketplace, MarketplaceState, MarketplaceSyncLease
from marketplace.models.plugins import Component, Plugin, PluginVersion
from marketplace.models.serving import ServedName
from marketplace.models.store import (
    EntityKind,
    EntityState,
    StackItem,
    StoreEntity,
    StoreVerdict,
    StoreVersion,
    Verdict,
    VersionState,
)

__all__ = [
    "Component",
    "EntityKind",
    "EntityState",
    "Marketplace",
    "MarketplaceState",
    "MarketplaceSyncLease",
    "Plugin",
    "PluginVersion",
    "Reattribution",
    "ReattributionIdentifier",
    "ServedName",
    "StackItem",
    "StoreEntity",
    "StoreVerdict",
    "StoreVersion",
    "Verdict",
    "VersionState",
]
