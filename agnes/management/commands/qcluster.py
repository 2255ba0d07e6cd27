from typing import Any

from django_q.management.commands import qcluster

from accounts.linux import let_others_go_first

# People wait for the web server, and for what a worker does nobody.
NICE = 10


class Command(qcluster.Command):  # type: ignore[misc]
    help = "Run the task worker. It lets other processes go first."

    def handle(self, *args: Any, **options: Any) -> None:
        let_others_go_first(NICE)
        super().handle(*args, **options)
