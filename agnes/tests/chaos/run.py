"""One run: kills at random, while people upload."""

import random
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django_q.models import OrmQ
from django_q.tasks import async_task

from agnes.tests.chaos.clients import Clients
from agnes.tests.chaos.dying import WEB, WORKER, Death
from agnes.tests.chaos.world import Cast, Sent, new_sessions
from telemetry.tests.kills.servers import Server, task_worker, web_server

# A stage that is not reached by then is given up, and its server killed where it is.
PATIENCE_SECONDS = 12
START_SECONDS = 60
BY_THE_CLOCK = "telemetry.tasks.process_usage"


@dataclass
class Run:
    """`kills`: what died where."""

    cast: Cast
    chance: random.Random
    servers: dict[str, Server]
    clients: Clients
    kills: list[str] = field(default_factory=list)
    acknowledged: list[Sent] = field(default_factory=list)

    def go_through(self, deaths: list[Death]) -> None:
        """Returns when all uploads are acknowledged; then both servers run, and nobody is to die."""
        files = new_sessions()
        self.chance.shuffle(files)
        shares = [files[number :: len(deaths)] for number in range(len(deaths))]
        with ThreadPoolExecutor(4) as pool:
            uploads: list[Future[None]] = []
            for death, share in zip(deaths, shares, strict=True):
                self._start_for(death)
                uploads += [pool.submit(self._upload, sent) for sent in share]
                self._wait_for(death, pool)
            self._start_all()
            for upload in uploads:
                upload.result()

    def _upload(self, sent: Sent) -> None:
        self.clients.upload(sent)
        self.acknowledged.append(sent)

    def _start_for(self, death: Death) -> None:
        """The one that is to die starts anew; the other one, too, if it died before."""
        for name, server in self.servers.items():
            if name == death.server:
                server.kill()
            if not server.is_running:
                server.environment |= death.environment if name == death.server else Death(name).environment
                server.start()
        self._wait_until_up()

    def _wait_until_up(self) -> None:
        """Or until it has died already."""
        deadline = time.monotonic() + START_SECONDS
        while self.servers[WEB].is_running and not self.clients.are_answered():
            assert time.monotonic() < deadline, "the web server did not come up"
            time.sleep(0.1)

    def _wait_for(self, death: Death, pool: ThreadPoolExecutor) -> None:
        victim = self.servers[death.server]
        patience = PATIENCE_SECONDS if death.family else self.chance.uniform(0, 2)
        deadline = time.monotonic() + patience
        while victim.is_running and time.monotonic() < deadline:
            self._provoke(death)
            time.sleep(0.1)
        missed = victim.is_running and death.family
        self.kills.append(f"not reached, killed anyway: {death}" if missed else str(death))
        victim.kill()

    def _provoke(self, death: Death) -> None:
        if death.server == WORKER:
            _let_the_clock_strike()
        elif death.family not in ("", "upload"):
            self.clients.provoke(death.family)

    def _start_all(self) -> None:
        for name, server in self.servers.items():
            if not server.is_running or server.environment != server.environment | Death(name).environment:
                server.kill()
                server.environment |= Death(name).environment
                server.start()
        self._wait_until_up()


def _let_the_clock_strike() -> None:
    """The schedule's task, and what the queue hides for a while from other workers after a kill."""
    OrmQ.objects.update(lock=timezone.now())
    if not OrmQ.objects.exists():
        async_task(BY_THE_CLOCK)


@contextmanager
def running(settings: Any, cast: Cast, chance: random.Random) -> Iterator[Run]:
    """The real servers on this test's world; killed in the end."""
    web, url = web_server(settings, "agnes.tests.chaos.web")
    worker = task_worker(settings, ["-m", "agnes.tests.chaos.worker"])
    retention = {
        name: str(getattr(settings, name))
        for name in ("USAGE_EVENTS_RETENTION_DAYS", "TRANSCRIPTS_RETENTION_DAYS")
    }
    for server in (web, worker):
        server.environment |= retention
    try:
        yield Run(cast, chance, {WEB: web, WORKER: worker}, Clients(cast, url))
    finally:
        web.kill()
        worker.kill()
