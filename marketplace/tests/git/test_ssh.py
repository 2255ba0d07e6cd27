"""Over ssh, with a program in its place: what it is called with, and what its failures mean."""

from pathlib import Path

import pytest

from marketplace.git.errors import AccessDenied, GitFailed, HostUnreachable, SyncFailed
from marketplace.git.failures import failure_of
from marketplace.tests.git.conftest import Fetch
from marketplace.tests.repositories import Repository

# Runs the last argument, as the far side would.
SSH = """#!/bin/sh
echo "$@" >> "$0.log"
for last; do :; done
exec sh -c "$last"
"""


@pytest.fixture
def ssh_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(SSH)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return program.with_name("ssh.log")


def test_it_is_fetched_without_any_question(repository: Repository, fetching: Fetch, ssh_log: Path):
    commit = repository.commit({"a": "1"})
    assert fetching(f"ssh://git@git.example.com:2222{repository.folder}") == commit
    called = ssh_log.read_text()
    for option in ("-oBatchMode=yes", "-oStrictHostKeyChecking=yes", "-p 2222", "git@git.example.com"):
        assert option in called


@pytest.mark.parametrize(
    ("said", "error", "cure"),
    [
        (
            "git@h: Permission denied (publickey).\nfatal: Could not read from remote repository.",
            AccessDenied,
            "key",
        ),
        ("Host key verification failed.\nfatal: Could not read from remote", HostUnreachable, "known_hosts"),
        ("ssh: Could not resolve hostname h: Name or service not known", HostUnreachable, "address"),
        ("ssh: connect to host h port 22: Connection refused", HostUnreachable, "address"),
        ("fatal: detected dubious ownership in repository at '/srv/x'", AccessDenied, "chown"),
        ("fatal: something new", GitFailed, "MARKETPLACES.md"),
        ("", GitFailed, "MARKETPLACES.md"),
    ],
)
def test_what_failures_mean(said: str, error: type[SyncFailed], cure: str):
    failure = failure_of(said)
    assert type(failure) is error
    assert cure in failure.hint


def test_what_nobody_foresaw_is_quoted_without_secrets_and_control_characters():
    failure = failure_of("noise\nfatal: \x1b[31mno 'https://me:s3cret@h/x'\n")
    assert failure.message == "git failed: fatal: \ufffd[31mno 'https://***@h/x'"
