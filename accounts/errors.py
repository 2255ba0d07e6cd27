"""The root of Agnes' errors. Every message names the cure; doors turn them into HTTP or CommandError once.

AgnesError
├── accounts.errors      NotAuthenticated, NotAllowed, NotFound, NobodyToErase, NeverDeleted, LastAdmin,
│                        PersonErased, AppendOnly, WeakPassword, WrongActivityFilter, TooManyTokens,
│                        ClientTooOld, WrongConnection, LoginCodeRefused, SignInRefused, SignInFailed,
│                        DiskFull, DiskReadOnly
├── agnes.errors         what goes wrong with a whole installation; its tree is there
├── marketplace.errors   what goes wrong with marketplaces; its tree is there
└── telemetry.errors     what goes wrong with transcripts and the demo; its tree is there
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Only then: what reads the lake in a process of its own needs no Django.
    from django.core.exceptions import ValidationError


class AgnesError(Exception):
    """An error that a person caused or can cure.

    `status` is the HTTP status, `code` the machine's word for it, `hint` the next step,
    `fields` what was wrong with which input. `retry_after` is in how many seconds the same request may
    succeed; None where it will not. `more` is JSON that stands beside them, for a kind of error that has more
    to tell.
    """

    status = 400
    code = "error"
    retry_after: int | None = None
    more: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, message: str, hint: str = "", fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.fields = fields or {}

    @property
    def text(self) -> str:
        """What went wrong and the next step, where people read both as one paragraph."""
        return f"{self.message} {self.hint}".strip()


def told(error: "ValidationError") -> str:
    """What a model or a validator found wrong, each with the name of its field, on one line."""
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    return " ".join(f"{name}: {text}" for name, texts in error.message_dict.items() for text in texts)


class NotAuthenticated(AgnesError):
    status = 401
    code = "not_authenticated"


class NotAllowed(AgnesError):
    status = 403
    code = "not_allowed"


class NotFound(AgnesError):
    status = 404
    code = "not_found"


class NeverDeleted(AgnesError):
    """A person's row stays, because counts and the audit log point at it."""

    status = 409
    code = "never_deleted"

    def __init__(self) -> None:
        super().__init__(
            "People are never deleted.",
            "Deactivate the person instead: clear “active” on their page in the admin.",
        )


class LastAdmin(AgnesError):
    status = 409
    code = "last_admin"

    def __init__(self) -> None:
        super().__init__(
            "Nobody else is an active superuser: without this person nobody could administer the server.",
            "Make somebody else a superuser first.",
        )


class NobodyToErase(NotFound):
    def __init__(self, email: str, *, was_erased: bool) -> None:
        super().__init__(
            f"Nobody has the e-mail address {email}{', who had it was erased' if was_erased else ''}.",
            "" if was_erased else "People in the admin lists the addresses.",
        )


class PersonErased(AgnesError):
    """To whoever was authenticated before, and is at it still."""

    status = 410
    code = "person_erased"

    def __init__(self) -> None:
        super().__init__(
            "This account was erased: nothing is taken for it.", "Ask an admin for a new account."
        )


class AppendOnly(AgnesError):
    status = 409
    code = "append_only"

    def __init__(self) -> None:
        super().__init__(
            "Rows of the audit log are never changed or deleted.", "Record a further row that corrects it."
        )


class WrongActivityFilter(AgnesError):
    status = 422
    code = "wrong_filter"

    def __init__(self, fields: dict[str, str]) -> None:
        wrong = "; ".join(f"{name}: {text}" for name, text in fields.items())
        super().__init__(f"A filter is wrong. {wrong}.", "Correct it, or leave it out.", fields)


class TooManyTokens(AgnesError):
    status = 409
    code = "too_many_tokens"

    def __init__(self, limit: int) -> None:
        super().__init__(f"You have {limit} access tokens.", "Revoke one that you do not need any more.")


class ClientTooOld(AgnesError):
    status = 426
    code = "client_too_old"

    def __init__(self, oldest: str) -> None:
        super().__init__(
            f"This client is too old: the server needs agnes {oldest} or newer.",
            "Upgrade it, such as with `pip install --upgrade`, or ask an operator for the newer one.",
        )


class WrongConnection(AgnesError):
    status = 422
    code = "wrong_connection"

    def __init__(self, wrong: list[str]) -> None:
        super().__init__(
            f"The address is not whole: {', '.join(wrong)}.",
            "Run `agnes login` on your machine, which opens this page.",
            dict.fromkeys(wrong, "missing or malformed"),
        )


class LoginCodeRefused(AgnesError):
    status = 422
    code = "code_refused"

    def __init__(self) -> None:
        super().__init__(
            "The code is unknown, was used already, or is older than two minutes.", "Run `agnes login` again."
        )


class WeakPassword(AgnesError):
    status = 422
    code = "weak_password"

    def __init__(self, why: str) -> None:
        super().__init__(
            "SEED_ADMIN_PASSWORD is too weak, so the first admin was not made and Agnes does not start: "
            f"{why}",
            "Choose a stronger one, or leave it out to have one generated.",
        )


class SignInRefused(AgnesError):
    """The provider says who it is, and they may not come in. `target` as in the audit log, '' for nobody."""

    status = 403
    code = "sign_in_refused"

    def __init__(self, message: str, hint: str, *, target: str = "") -> None:
        super().__init__(message, hint)
        self.target = target


class SignInFailed(AgnesError):
    status = 502
    code = "sign_in_failed"

    def __init__(self, provider: str) -> None:
        super().__init__(
            f"Signing in with {provider} did not work.",
            "Try again in a moment. If it goes on, an operator finds the reason in the server's log.",
        )


class DiskFull(AgnesError):
    status = 507
    code = "disk_full"
    retry_after = 300

    def __init__(self) -> None:
        super().__init__(
            "The server's disk is full, so nothing was changed.",
            "An operator makes room where the data folder and the database are; then do it again. Nothing "
            "that was stored is lost.",
        )


class DiskReadOnly(AgnesError):
    status = 503
    code = "read_only"
    retry_after = 300

    def __init__(self) -> None:
        super().__init__(
            "The server can only read its disk at the moment, so nothing was changed.",
            "An operator makes the data folder and the database writable again; then do it again. Nothing "
            "that was stored is lost.",
        )
