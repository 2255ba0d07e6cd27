"""What can go wrong with a question, as people meet it.

AgnesError
├── WrongQuestion     empty or too long
├── QueryRejected     the SQL does something else than read the tables
├── QueryFailed       the engine's own error: a name that is not there, a type that does not fit
├── QueryTooHeavy     stopped: too much memory or time
├── AskBusy           a question of this person, or as many as may be, are being answered
├── AskNotSetUp       no provider is configured, or it refuses the key, the account or the model
├── ProviderFailed    the provider did not answer with a statement
└── NotAnswerable     the model says that these tables do not answer the question
"""

from accounts.errors import AgnesError


class WrongQuestion(AgnesError):
    status = 422
    code = "wrong_question"

    def __init__(self, characters: int) -> None:
        super().__init__(
            f"A question has 1 to {characters} characters.",
            "Ask for one thing, such as: how many times was Bash invoked yesterday?",
            {"question": f"1 to {characters} characters"},
        )


class QueryRejected(AgnesError):
    """`rule` is which check refused it."""

    status = 422
    code = "query_rejected"

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(text, "Ask in other words, or ask for less at once.", {"rule": rule})
        self.rule = rule


class QueryFailed(AgnesError):
    """`told` is what a model may be told of `reason`, which can quote values of rows."""

    status = 422
    code = "query_failed"

    def __init__(self, reason: str, told: str = "") -> None:
        super().__init__(f"The query failed: {reason}", "Ask in other words, naming what you want counted.")
        self.told = told


class QueryTooHeavy(AgnesError):
    status = 422
    code = "query_too_heavy"

    def __init__(self) -> None:
        super().__init__(
            "The query was stopped: it needs too much time or memory, or the machine is too busy.",
            "Ask for fewer days or for figures by day.",
        )


class AskBusy(AgnesError):
    status = 429
    code = "ask_busy"
    retry_after = 5


class AskNotSetUp(AgnesError):
    status = 503
    code = "ask_not_set_up"


class ProviderFailed(AgnesError):
    """`retry_after` in seconds, where the provider named it."""

    status = 502
    code = "provider_failed"

    def __init__(self, message: str, hint: str, *, status: int = 502, retry_after: int | None = None) -> None:
        super().__init__(message, hint)
        self.status = status
        self.retry_after = retry_after


class NotAnswerable(AgnesError):
    status = 422
    code = "not_answerable"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"This cannot be answered from the telemetry: {why}",
            "Ask about sessions, tools, skills, commands, agents, plugins, tokens or people.",
        )
