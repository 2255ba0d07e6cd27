"""What one run of a processor did."""

from dataclasses import dataclass, field


@dataclass
class RunReport:
    """Counts transcripts (`processed`, `failed`) and what was extracted (`items`).

    Something pending may be left: the run was `out_of_time`, or another worker holds it. `publishing_error`
    says why what was extracted could not be published, which the next run tries again. `given_up` counts all
    transcripts that wait for an operator, of earlier runs too; only runs by hand ask for it.
    """

    processed: int = 0
    failed: int = 0
    items: int = 0
    seconds: float = 0.0
    published_days: int = 0
    publishing_error: str = ""
    out_of_time: bool = False
    held_elsewhere: bool = False
    given_up: int = 0
    failures: list[str] = field(default_factory=list)
