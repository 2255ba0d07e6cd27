"""What can go wrong with the repository of a marketplace: marketplace.errors has the whole tree."""

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


class SyncFailed(AgnesError):
    status = 502
    code = "sync_failed"


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
