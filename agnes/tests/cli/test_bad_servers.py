"""agnes push, to a server that is away, busy, broken or full: nothing lost, nothing twice."""

import pytest

from agnes.tests.cli.machines import Machine
from agnes.tests.cli.scripted import DROP, OK, TAKE_AND_DROP, Scripted, failing, scripted

AWAY, REFUSED_SOME, NOT_LOGGED_IN = 5, 9, 3


@pytest.fixture
def three(client: Machine) -> dict[str, bytes]:
    """Three sessions wait, the oldest first."""
    return {f"{name}.jsonl": client.write(name).read_bytes() for name in ("s1", "s2", "s3")}


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param([failing(429, retry_after="1")], id="too much at once"),
        pytest.param([failing(500), failing(500)], id="failing"),
        pytest.param([failing(408)], id="timed out"),
        pytest.param([failing(503, "busy"), failing(502), failing(504)], id="restarting"),
        pytest.param([failing(507)], id="disk full"),
        pytest.param([DROP, DROP], id="connection drops"),
        pytest.param([TAKE_AND_DROP], id="taken, and the answer is lost"),
        pytest.param([failing(422, "corrupt")], id="broken on the way"),
    ],
)
def test_what_passes_is_waited_for(client: Machine, server: Scripted, three, trouble):
    server.script.extend(trouble)
    first = client.run("push", "--json", AGNES_PATIENCE="20")
    if first.returncode:
        # Of a body that broke on the way it is left to the next push.
        assert (first.returncode, len(server.latest())) == (AWAY, 2)
    client.ok("push")
    assert server.stored == {name: [content] for name, content in three.items()}


def test_it_waits_as_long_as_the_server_says(client: Machine, server: Scripted, three):
    server.script.append(failing(429, retry_after="1"))
    client.ok("push", AGNES_PATIENCE="20")
    first, second, *_ = server.uploads()
    # By itself it waits for half of it.
    assert second.at - first.at >= 1


def test_a_server_that_wants_longer_than_one_waits_is_left_alone_by_hooks(client: Machine, server, three):
    server.always = failing(503, retry_after="3600")
    done = client.run("push")
    assert (done.returncode, len(server.uploads())) == (AWAY, 1)
    client.ok("push", "--background")
    assert len(server.uploads()) == 1
    # Who types it means it.
    server.always = OK
    client.ok("push")
    assert server.latest() == three


def test_a_server_that_is_away_for_a_day(client: Machine, server: Scripted, three):
    server.stop()
    for _ in range(2):
        done = client.run("push", AGNES_PATIENCE="0")
        assert (done.returncode, "cannot be reached" in done.stderr) == (AWAY, True)
    three["s4.jsonl"] = client.write("s4").read_bytes()
    with scripted(server.port) as back:
        assert client.json("push")["sent"] == 4
        assert back.latest() == three


def test_a_server_that_fails_for_good_is_not_asked_for_each(client: Machine, server: Scripted):
    for number in range(10):
        client.write(f"s{number}")
    server.always = failing(500)
    told = client.run("push", "--json", AGNES_PATIENCE="0")
    assert told.returncode == AWAY
    assert len(server.uploads()) == 3


def test_one_that_fails_does_not_stop_the_others(client: Machine, server: Scripted, three):
    server.script.append(failing(500))
    done = client.run("push", AGNES_PATIENCE="0")
    assert done.returncode == AWAY
    assert set(server.latest()) == {"s2.jsonl", "s3.jsonl"}
    client.ok("push")
    assert server.latest() == three


class TestRefused:
    def test_it_gives_up_once_and_says_so(self, client: Machine, server: Scripted, three):
        server.script.append(failing(422, "not_a_transcript"))
        done = client.run("push")
        assert done.returncode == REFUSED_SOME
        assert "s1.jsonl was refused: No: 422. Wait." in done.stderr
        assert set(server.latest()) == {"s2.jsonl", "s3.jsonl"}

        server.requests.clear()
        told = client.json("push")
        assert (told["sent"], told["refused"], server.requests) == (0, [], [])

    def test_it_is_tried_again_when_it_changes_or_somebody_says_so(self, client, server, three):
        server.script.extend([failing(413), failing(413), failing(413)])
        assert client.run("push").returncode == REFUSED_SOME
        assert client.json("push", "--again")["sent"] == 3
        client.write("s1", client.session("s1", calls=5))
        assert client.json("push")["sent"] == 1

    def test_a_token_that_holds_no_more_stops_at_once(self, client: Machine, server: Scripted, three):
        server.always = failing(401)
        done = client.run("push")
        assert (done.returncode, len(server.uploads())) == (NOT_LOGGED_IN, 1)
        assert "agnes login" in done.stderr
        server.always = OK
        assert client.json("push")["sent"] == 3


def test_with_nothing_to_do_the_server_is_not_asked(client: Machine, server: Scripted, three):
    client.ok("push")
    server.stop()
    client.ok("push")


def test_whether_a_file_has_changed_is_told_by_size_and_time_alone(client: Machine, server, three):
    """So ten thousand known ones take no time."""
    import os

    client.ok("push")
    path = client.project() / "s1.jsonl"
    then = path.stat()
    path.write_bytes(b"x" * then.st_size)
    os.utime(path, ns=(then.st_atime_ns, then.st_mtime_ns))
    told = client.json("push")
    assert (told["sent"], told["known"], told["empty"]) == (0, 3, 0)


def test_a_file_that_was_only_touched_is_not_sent_again(client: Machine, server: Scripted, three):
    client.ok("push")
    server.requests.clear()
    (client.project() / "s1.jsonl").touch()
    assert client.json("push")["same"] == 1
    assert server.requests == []


@pytest.mark.parametrize("page", [b"<html>502 Bad Gateway</html>", b""])
def test_what_is_no_server_of_agnes(machine: Machine, page: bytes):
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(page)

    other = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=other.handle_request, daemon=True).start()
    token = f"agnes_{'a' * 12}_{'b' * 40}"
    address = f"http://127.0.0.1:{other.server_address[1]}"
    done = machine.run("login", "--server", address, "--with-token", input=token)
    other.server_close()
    assert (done.returncode, "did not answer as a server of Agnes does" in done.stderr) == (6, True)


def test_a_server_that_leads_elsewhere_gets_no_token_there(client: Machine, server: Scripted, three):
    server.always = (301, {"Location": "http://127.0.0.1:9/"}, {})
    done = client.run("push")
    assert (done.returncode, "leads to http://127.0.0.1:9/" in done.stderr) == (AWAY, True)
    server.always = OK
    assert client.json("push")["sent"] == 3
