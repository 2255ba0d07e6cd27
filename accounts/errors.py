"""The root of Agnes' errors. Every message names the cure; doors turn them into HTTP or CommandError once.

AgnesError
├── accounts.errors      NotAuthenticated, NotAllowed, NotFound, NeverDeleted, AppendOnly, WeakPassword
├── marketplace.errors   what goes wrong with marketplaces; its tree is there
└── telemetry.errors     what goes wrong with transcripts and the demo; its tree is there
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Only then: what reads the lake in a process of its own needs no Django.
    from django.core.exceptions import ValidationError


class AgnesError(Exception):
    """An error that a person caused or can cure.

    `status` is the HTTP status, `code` the machine's word for it, `hint` the next step,
    `fields` what was wrong with which input. `retry_after` is in how many seconds the same request may
    succeed; None where it will not.
    """

    status = 400
    code = "error"
    retry_after: int | None = None

    def __init__(self, message: str, hint: str = "", fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.fields = fields or {}


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


class AppendOnly(AgnesError):
    status = 409
    code = "append_only"

    def __init__(self) -> None:
        super().__init__(
            "Rows of the audit log are never changed or deleted.", "Record a further row that corrects it."
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
