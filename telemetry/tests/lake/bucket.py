"""A local server that speaks S3, as a process of its own: `deltalake` would keep a thread of this one from
answering.

python -m telemetry.tests.lake.bucket     serves until its standard input ends; prints its port
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.request import Request, urlopen

BUCKET = "lake"


def storage_options(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }


@dataclass
class S3Server:
    endpoint: str
    process: "subprocess.Popen[str]"

    @property
    def options(self) -> dict[str, str]:
        return storage_options(self.endpoint)

    def empty(self) -> None:
        """Forget everything, and make an empty bucket."""
        for method, path in (("POST", "moto-api/reset"), ("PUT", BUCKET)):
            urlopen(Request(f"{self.endpoint}/{path}", method=method), timeout=10).close()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """With an empty bucket."""
    command = [sys.executable, "-m", "telemetry.tests.lake.bucket"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        server = S3Server(f"http://127.0.0.1:{int(process.stdout.readline())}", process)
        server.empty()
        try:
            yield server
        finally:
            server.stop()


def serve() -> None:
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    print(port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    serve()
