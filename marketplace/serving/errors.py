"""What can go wrong with stacks and their repositories: marketplace.errors has the whole tree."""

from accounts.errors import AgnesError


class UpstreamMissing(AgnesError):
    """Files of a marketplace are not on this machine, and cannot be had at the moment."""

    status = 503
    code = "upstream_missing"
    retry_after = 60

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"The marketplace {slug} cannot be read at the moment.",
            "Try again in a minute; if that does not help, an admin syncs it again.",
        )


class FetchesBusy(AgnesError):
    status = 503
    code = "fetches_busy"
    retry_after = 10

    def __init__(self) -> None:
        super().__init__("Too many clients fetch at the moment.", "Try again in a moment.")


class FetchRefused(AgnesError):
    """What was sent is not what git sends."""

    status = 400
    code = "fetch_refused"


class FetchTooLarge(FetchRefused):
    status = 413
    code = "fetch_too_large"


class NamespaceTaken(AgnesError):
    status = 409
    code = "namespace_taken"

    def __init__(self, new: str, held: str, namespace: str) -> None:
        super().__init__(
            f"{new} has the namespace {namespace}, and so has {held}, which is in your stack: Claude Code "
            "could not tell their commands and skills apart.",
            f"Remove {held} from your stack first.",
        )


class NotForStacks(AgnesError):
    status = 409
    code = "not_for_stacks"

    def __init__(self, label: str, reason: str) -> None:
        super().__init__(f"{label} cannot be served. {reason}", "Choose another plugin, or ask its author.")
