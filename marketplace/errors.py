"""What can go wrong with marketplaces, as people meet it.

AgnesError
├── AddressRefused         a repository's address that Agnes does not fetch from
├── RefRefused             no name of a branch, tag or commit
├── TokenRefused           a token's variable that may not be used, is not set, or would not be sent
├── SlugRefused            a marketplace's short name that is taken or cannot stand in an address
├── MarketplaceUnknown     no marketplace has this short name
├── ItemUnknown            no marketplace has this item, or one may not see it
├── WrongItemQuery         items were asked for with filters that mean nothing
├── MarketplaceBusy        another process is syncing it
└── SyncFailed             why the catalogue is the one of before
    ├── AccessDenied           it needs a password, or the token or key does not fit
    ├── RepositoryNotFound     there is none at this address, or it is private
    ├── RefUnknown             the repository has no such branch, tag or commit
    ├── HostUnreachable        no connection, or the host is not who it should be
    ├── AddressMoved           the server points to another address
    ├── ConnectionBroke        the server hung up in the middle
    ├── TookTooLong            slower than the settings allow
    ├── RepositoryTooLarge     larger than the settings allow
    ├── GitUnusable            there is no git on this machine, or an old one
    ├── RepositoryDamaged      the local copy lacks something
    ├── GitFailed              anything else that git says
    └── NotAMarketplace        no marketplace.json, or one that cannot be read
"""

from accounts.errors import AgnesError


class AddressRefused(AgnesError):
    status = 422
    code = "address_refused"


class RefRefused(AgnesError):
    status = 422
    code = "ref_refused"


class TokenRefused(AgnesError):
    status = 422
    code = "token_refused"


class SlugRefused(AgnesError):
    status = 422
    code = "slug_refused"


class MarketplaceUnknown(AgnesError):
    status = 404
    code = "marketplace_unknown"

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"There is no marketplace {slug!r}.",
            "Add it with `manage.py marketplace_add`, or check the name.",
        )


class ItemUnknown(AgnesError):
    status = 404
    code = "item_unknown"

    def __init__(self, source: str, ref_id: str) -> None:
        super().__init__(
            f"There is no {source} item {ref_id!r:.300}.", "GET /api/marketplace/items lists what there is."
        )


class WrongItemQuery(AgnesError):
    status = 422
    code = "wrong_item_query"

    def __init__(self, fields: dict[str, str]) -> None:
        """`fields` says of each what it may be."""
        wrong = "; ".join(f"{name}: {what}" for name, what in sorted(fields.items()))
        super().__init__(f"Wrong filter: {wrong}.", "docs/MARKETPLACES.md describes the filters.", fields)


class MarketplaceBusy(AgnesError):
    status = 409
    code = "marketplace_busy"

    def __init__(self, slug: str) -> None:
        super().__init__(f"Another process is syncing {slug}.", "Wait a minute, then try again if need be.")


class SyncFailed(AgnesError):
    status = 502
    code = "sync_failed"

    @property
    def text(self) -> str:
        return f"{self.message} {self.hint}".strip()


class AccessDenied(SyncFailed):
    code = "access_denied"


class RepositoryNotFound(SyncFailed):
    code = "repository_not_found"


class RefUnknown(SyncFailed):
    code = "ref_unknown"


class HostUnreachable(SyncFailed):
    code = "host_unreachable"


class AddressMoved(SyncFailed):
    code = "address_moved"


class ConnectionBroke(SyncFailed):
    code = "connection_broke"


class TookTooLong(SyncFailed):
    code = "took_too_long"


class RepositoryTooLarge(SyncFailed):
    code = "repository_too_large"


class GitUnusable(SyncFailed):
    status = 500
    code = "git_unusable"


class RepositoryDamaged(SyncFailed):
    status = 500
    code = "repository_damaged"

    def __init__(self) -> None:
        super().__init__("The local copy of the repository is damaged.", "Sync it again: it is fetched anew.")


class GitFailed(SyncFailed):
    code = "git_failed"


class NotAMarketplace(SyncFailed):
    status = 422
    code = "not_a_marketplace"
