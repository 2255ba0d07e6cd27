from marketplace.models.attribution import Reattribution, ReattributionIdentifier
from marketplace.models.marketplaces import Marketplace, MarketplaceState, MarketplaceSyncLease
from marketplace.models.plugins import Component, Plugin, PluginVersion

__all__ = [
    "Component",
    "Marketplace",
    "MarketplaceState",
    "MarketplaceSyncLease",
    "Plugin",
    "PluginVersion",
    "Reattribution",
    "ReattributionIdentifier",
]
