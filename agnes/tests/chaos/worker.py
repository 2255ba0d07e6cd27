"""The task worker, `python -m agnes.tests.chaos.worker`: it dies where it was told to."""

import django
from django.core.management import call_command

from agnes.tests.chaos.dying import prepare_to_die

if __name__ == "__main__":
    django.setup()
    # Its workers are forked, and inherit it.
    prepare_to_die()
    call_command("qcluster")
