"""When the people of the demo organisation have their sessions."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random

from telemetry.demo.people import Person

DAYS = 60


def session_starts(person: Person, last_day: date, rng: Random) -> list[datetime]:
    """The starts of one person's sessions, in order: most on weekdays, more of them towards the end."""
    days = [last_day - timedelta(days=DAYS - 1 - offset) for offset in range(DAYS)]
    weights = [_weight(person, day, offset) for offset, day in enumerate(days)]
    away = rng.randrange(DAYS - 5)
    weights[away : away + 5] = [0.0] * 5
    chosen = rng.choices(days, weights, k=person.sessions)
    return sorted(datetime.combine(day, _time_of_day(person, rng), UTC) for day in chosen)


def _weight(person: Person, day: date, offset: int) -> float:
    adoption = 0.5 + offset / DAYS
    return adoption if day.weekday() < 5 else adoption * person.weekends


def _time_of_day(person: Person, rng: Random) -> time:
    minutes = rng.choice((20, 50, 100, 150, 250, 300, 380, 440)) + rng.randrange(25)
    return time(
        min(23, person.hour + minutes // 60), minutes % 60, rng.randrange(60), rng.randrange(1000) * 1000
    )
