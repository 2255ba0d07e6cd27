import socket
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import audit
from accounts.errors import AgnesError
from accounts.models import User
from accounts.seeding import ensure_first_admin
from agnes import demo, env, schedules
from agnes.supervisor import Supervisor
from telemetry.demo import world
from telemetry.demo.progress import show_progress
from telemetry.files.spool import remove_leftovers
from telemetry.models import SessionTranscript

WEB, WORKER = "The web server", "The task worker"


class Command(BaseCommand):
    help = "Prepare the database and run the web server and the task worker until Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = env.split_address(settings.AGNES_BIND)
        require_free(host, port)
        try:
            admin, password = self._prepare()
        except AgnesError as error:
            raise CommandError(error.text) from None
        except KeyboardInterrupt as interrupt:
            raise CommandError(
                "Stopped before it was ready: the next start goes on from here."
            ) from interrupt
        supervisor = Supervisor(folder=settings.BASE_DIR)
        ended = supervisor.run(
            {WEB: web_command(), WORKER: [sys.executable, "manage.py", "qcluster"]},
            is_ready=lambda: answers(host, port),
            on_ready=lambda: self._greet(admin.email, password),
        )
        if ended:
            raise CommandError(f"{ended} ended by itself; the lines above say why. The rest was stopped too.")
        self.stdout.write("Stopped.")

    def _prepare(self) -> tuple[User, str | None]:
        """The first admin comes last: a password made earlier would be lost if this were interrupted."""
        call_command("migrate", interactive=False, verbosity=0)
        schedules.sync()
        remove_leftovers()
        with audit.context("command"):
            if settings.DEBUG:
                if wants_demo():
                    self._make_demo()
            else:
                call_command("collectstatic", interactive=False, verbosity=0)
            return ensure_first_admin()

    def _make_demo(self) -> None:
        self.stdout.write("Making a demo world: this happens once and takes seconds.")
        with show_progress() as on_progress:
            created = demo.create(now=timezone.now(), on_progress=on_progress)
        self.stdout.write(str(created))

    def _greet(self, email: str, password: str | None) -> None:
        self.stdout.write(f"\nAgnes is at  {settings.AGNES_URL}/admin/")
        self.stdout.write(f"Sign in as   {email}")
        if password:
            self.stdout.write(f"Password     {password}   (shown this once)")
        else:
            self.stdout.write(
                f"Password     unchanged; set one: .venv/bin/python manage.py changepassword {email}"
            )
        self.stdout.write("Ctrl-C stops it.\n")
        self.stdout.flush()


def wants_demo() -> bool:
    """On the first start, and after a first start that was interrupted."""
    return world.is_unfinished() or not (SessionTranscript.objects.exists() or world.was_removed())


def require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Agnes cannot listen on {host}:{port} ({error}). Stop what listens there, or choose another "
                "address, for example: AGNES_BIND=127.0.0.1:8001 make run"
            ) from error


def answers(host: str, port: int) -> bool:
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    try:
        socket.create_connection((reachable, port), timeout=1).close()
    except OSError:
        return False
    return True


def web_command() -> list[str]:
    return [sys.executable, "-m", "gunicorn", "--config", "python:agnes.gunicorn_config", "agnes.wsgi"]
