"""What can go wrong, each with the exit code that scripts rely on (docs/CLIENT.md).

ClientError            1   anything else
├── WrongInput         2   as for a wrong option
├── NotLoggedIn        3   no token, or one that no longer holds
├── NotAllowed         4   a scope or a permission is missing
├── ServerAway         5   not reached, busy or failing: the same works later
├── Refused            6   the server does not take it
│   └── Withheld       6   it was marked private or erased: it never takes it
├── NotFound           7   there is no such thing
├── LocalTrouble       8   a file or a folder of this machine
├── Incomplete         9   some of it was done
└── TooOld            10   the server needs a newer client
"""


class ClientError(Exception):
    """`hint` is the next step."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def text(self) -> str:
        """What went wrong and the next step, where people read both as one paragraph."""
        return f"{self.message} {self.hint}".strip()


class WrongInput(ClientError):
    exit_code = 2


class NotLoggedIn(ClientError):
    exit_code = 3


class NotAllowed(ClientError):
    exit_code = 4


class ServerAway(ClientError):
    """`retry_after` is in how many seconds the server wants to be asked again, where it says so.
    `may_be_of_one`: it may be this request alone that fails."""

    exit_code = 5

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        retry_after: float | None = None,
        may_be_of_one: bool = False,
    ) -> None:
        super().__init__(message, hint)
        self.retry_after = retry_after
        self.may_be_of_one = may_be_of_one


class Refused(ClientError):
    """`details` is the whole error as the server told it, `code` its reason: '' where something else
    answered."""

    exit_code = 6

    def __init__(
        self, message: str, hint: str = "", *, code: str = "", details: dict[str, object] | None = None
    ) -> None:
        super().__init__(message, hint)
        self.code = code
        self.details = details or {}


class Withheld(Refused):
    pass


class NotFound(ClientError):
    exit_code = 7


class LocalTrouble(ClientError):
    exit_code = 8


class Incomplete(ClientError):
    exit_code = 9


class TooOld(ClientError):
    exit_code = 10
