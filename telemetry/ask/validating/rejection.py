"""Why a statement is not run."""


class Rejected(Exception):
    """`rule` is a stable word for audit rows, `text` a sentence for people."""

    def __init__(self, rule: str, text: str) -> None:
        super().__init__(text)
        self.rule = rule
        self.text = text
