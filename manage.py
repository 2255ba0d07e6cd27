#!/usr/bin/env python
"""Django's command line for Agnes."""

import os
import sys


def main() -> None:
    # What is written here, and by child processes, is nobody else's.
    os.umask(0o077)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "agnes.settings")
    try:
        from agnes import command_line
    except ImportError as error:
        raise SystemExit(
            "Django is not installed here: run `make install`, then use .venv/bin/python."
        ) from error
    try:
        command_line.run(sys.argv)
    except KeyboardInterrupt:
        # Before a command has begun; what is under way then ends in its own way.
        sys.stderr.write("Interrupted.\n")
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
