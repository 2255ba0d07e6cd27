"""Who may come in at the git door, and with what."""

import base64
import gzip
import http.client
from urllib.parse import urlsplit

import httpx
import pytest

from accounts import tokens
from accounts.models import AccessToken, Scope
from marketplace.serving.limits import BODY_BYTES
from marketplace.serving.stack import add_to_stack

pytestmark = pytest.mark.django_db(transaction=True)

INFO = "/info/refs?service=git-upload-pack"
LS_REFS = b"0014command=ls-refs\n0001000dref-prefix0000".replace(b"000dref-prefix", b"")
V2 = {"Git-Protocol": "version=2", "Content-Type": "application/x-git-upload-pack-request"}


@pytest.fixture
def token(bob, token_for):
    return token_for(bob, Scope.MARKETPLACE)


@pytest.fixture
def door(server, bob, data_folder):
    with httpx.Client(base_url=f"{server}/m/{bob.pk}.git", timeout=30) as client:
        yield client


def test_it_asks_for_credentials_first(door):
    for answer in (door.get(INFO), door.post("/git-upload-pack", content=LS_REFS, headers=V2)):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        assert "location" not in answer.headers


def test_any_user_name_will_do(door, token):
    for name in ("agnes", "", "bob@example.com"):
        assert door.get(INFO, auth=(name, token)).status_code == 200


def test_a_wrong_token_is_refused(door, token, bob, token_for):
    revoked = token_for(bob, Scope.MARKETPLACE)
    tokens.revoke(AccessToken.objects.get(key_id=revoked.split("_")[1]), by=bob)
    for wrong in ("", "x", token[:-1] + "?", revoked):
        assert door.get(INFO, auth=("agnes", wrong)).status_code == 401
    for header in (f"Bearer {token}", "Basic ???", f"Basic {base64.b64encode(b'no colon').decode()}"):
        assert door.get(INFO, headers={"Authorization": header}).status_code == 401


def test_a_browser_session_opens_nothing(client, bob):
    client.force_login(bob)
    assert client.get(f"/m/{bob.pk}.git{INFO}").status_code == 401


def test_a_token_of_another_scope_is_told_so(door, bob, token_for):
    wrong = token_for(bob, Scope.READ, Scope.UPLOAD, Scope.ADMIN)
    answer = door.get(INFO, auth=("agnes", wrong))
    assert answer.status_code == 403
    assert "scope marketplace" in answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_another_persons_marketplace_is_not_there(server, door, alice, charlie, token, token_for):
    theirs = token_for(alice, Scope.MARKETPLACE)
    for person, credentials in ((charlie.pk, token), (99999, token), (f"0{charlie.pk}", token)):
        answer = httpx.get(f"{server}/m/{person}.git{INFO}", auth=("agnes", credentials))
        assert answer.status_code == 404
    assert door.get(INFO, auth=("agnes", theirs)).status_code == 404


def test_a_person_who_was_deactivated_gets_nothing(door, bob, token):
    bob.is_active = False
    bob.save()
    assert door.get(INFO, auth=("agnes", token)).status_code == 401


def test_it_is_read_only(door, bob, token, git_of):
    auth = ("agnes", token)
    assert door.get("/info/refs?service=git-receive-pack", auth=auth).status_code == 403
    assert door.post("/git-receive-pack", content=b"0000", auth=auth).status_code == 403
    clone = git_of(bob).clone()
    pushed = clone.git.tried("push", clone.git.with_token, "HEAD:refs/heads/other", cwd=clone.path)
    assert pushed.returncode != 0
    assert "read-only" in pushed.stderr


STRANGE_PATHS = [
    "/HEAD",
    "/info/refs",
    "/info/refs?service=git-upload-archive",
    "/info/refs/?service=git-upload-pack",
    "//info/refs?service=git-upload-pack",
    "/info%2frefs%00?service=git-upload-pack",
    "/objects/info/packs",
    "/config",
    "/agnes-hold",
    "/",
    "/%00",
    "/git-upload-pack",
    "/git-upload-pack/../config",
    "/../1.git/info/refs?service=git-upload-pack",
    "/%2e%2e/%2e%2e/agnes.sqlite3",
    "/..%2f..%2fsecret_key",
]


def test_nothing_else_is_there(server, door, bob, token):
    """Paths as they are written: a client such as httpx would tidy them up first."""
    parts = urlsplit(server)
    credentials = base64.b64encode(f"agnes:{token}".encode()).decode()
    for method in ("GET", "HEAD"):
        for path in STRANGE_PATHS:
            connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
            headers = {"Authorization": f"Basic {credentials}"}
            connection.request(method, f"/m/{bob.pk}.git{path}", headers=headers)
            assert connection.getresponse().status == 404, (method, path)
            connection.close()
    for method in ("HEAD", "PUT", "DELETE", "OPTIONS", "POST"):
        assert door.request(method, INFO, auth=("agnes", token)).status_code == 404, method


def test_bodies_may_be_gzip_or_chunked(door, token):
    auth = ("agnes", token)
    plain = door.post("/git-upload-pack", content=LS_REFS, headers=V2, auth=auth)
    assert plain.status_code == 200
    assert b"refs/heads/main" in plain.content
    packed = door.post(
        "/git-upload-pack",
        content=gzip.compress(LS_REFS),
        headers={**V2, "Content-Encoding": "gzip"},
        auth=auth,
    )
    assert packed.content == plain.content
    chunked = door.post("/git-upload-pack", content=iter([LS_REFS[:5], LS_REFS[5:]]), headers=V2, auth=auth)
    assert chunked.content == plain.content


def test_bodies_are_limited(door, token):
    auth = ("agnes", token)
    for body, headers in (
        (b"0" * (BODY_BYTES + 1), {}),
        (gzip.compress(b"0" * (BODY_BYTES + 1)), {"Content-Encoding": "gzip"}),
        (iter([b"0" * (BODY_BYTES + 1)]), {}),
    ):
        answer = door.post("/git-upload-pack", content=body, headers={**V2, **headers}, auth=auth)
        assert answer.status_code == 413
    for headers in ({"Content-Encoding": "gzip"}, {"Content-Encoding": "br"}):
        answer = door.post("/git-upload-pack", content=LS_REFS, headers={**V2, **headers}, auth=auth)
        assert answer.status_code == 400


def test_git_itself_sends_gzip_for_long_bodies(kits, bob, git_of, tmp_path):
    """What a clone has is told in lines, and more than 1 KB of them are compressed."""
    add_to_stack(bob, "curated", "kits/tidy")
    clone = git_of(bob).clone()
    for number in range(40):
        clone.run(
            "-c", "user.name=x", "-c", "user.email=x", "commit", "-q", "--allow-empty", "-m", str(number)
        )
    add_to_stack(bob, "curated", "kits/rows")
    done = clone.git.tried("fetch", "origin", "HEAD", cwd=clone.path, GIT_CURL_VERBOSE="1")
    assert done.returncode == 0, done.stderr
    assert "Content-Encoding: gzip" in done.stderr
    assert "plugins/rows" in clone.run("ls-tree", "-r", "--name-only", "FETCH_HEAD")


def test_the_log_tells_neither_tokens_nor_every_first_request(door, bob, token, served_data):
    door.get(INFO)
    door.get(INFO, auth=("agnes", token))
    door.get("/config", auth=("agnes", token))
    log = (served_data / "server.log").read_text()
    assert token not in log
    assert f"/m/{bob.pk}.git/config" in log
    assert "Unauthorized: /m/" not in log
