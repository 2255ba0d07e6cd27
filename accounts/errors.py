"""The root of Agnes' errors. Every message names the cure; doors turn them into HTTP or CommandError once.

AgnesError
├── accounts.errors      NotAuthenticated, NotAllowed, NotFound, NeverDeleted, AppendOnly
├── marketplace.errors   what goes wrong with marketplaces; its tree is there
└── telemetry.errors     what goes wrong with transcripts and the demo; its tree is there
"""


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
