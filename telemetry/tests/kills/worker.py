"""A worker that begins when it is told to, and works until nothing is pending and all is published.

python -m telemetry.tests.kills.worker      prints "ready", and waits for a line
"""

import sys

import django


def main() -> None:
    django.setup()
    from telemetry.processors.processing import process

    print("ready", flush=True)
    sys.stdin.readline()
    process("usage", wait=True)


if __name__ == "__main__":
    main()
