"""A scheduler that looks when it is told to.

python -m agnes.tests.machines.scheduling     prints "ready"; for each line that it reads it looks once, and
                                              prints "looked"
"""

import sys

import django


def main() -> None:
    django.setup()
    from django_q.scheduler import scheduler

    print("ready", flush=True)
    for _ in sys.stdin:
        scheduler()
        print("looked", flush=True)


if __name__ == "__main__":
    main()
