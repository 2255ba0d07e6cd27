"""What git may see and do: nothing of this machine's configuration, no prompt, no hook, three protocols."""

import os
from collections.abc import Iterator
from pathlib import Path

from marketplace.git.addresses import SCHEMES, Address
from marketplace.git.tokens import header_of

# Passed on: where programs are, the way out, whom to trust, and the keys of ssh.
_PASSED_ON = (
    "PATH", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH",
    "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy",
)  # fmt: skip
_SSH = "ssh -oBatchMode=yes -oConnectTimeout=15 -oStrictHostKeyChecking=yes -oForwardAgent=no"
_CONFIG = (
    ("protocol.allow", "never"),
    *((f"protocol.{scheme}.allow", "always") for scheme in SCHEMES),
    ("core.hooksPath", "/dev/null"),
    ("core.askPass", ""),
    ("core.fsmonitor", "false"),
    # Larger files are streamed instead of held in memory.
    ("core.bigFileThreshold", "8m"),
    ("credential.helper", ""),
    ("fetch.recurseSubmodules", "false"),
    ("submodule.recurse", "false"),
    # One file per fetch, however few objects come.
    ("fetch.unpackLimit", "1"),
    ("fetch.writeCommitGraph", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    # Bytes a second, and for how many seconds fewer are borne.
    ("http.lowSpeedLimit", "1000"),
    ("http.lowSpeedTime", "20"),
)


def environment(repository: Path) -> dict[str, str]:
    """For commands in a bare repository that speak with nobody."""
    return _with_config(repository, _CONFIG)


def fetching_environment(repository: Path, address: Address, token: str) -> dict[str, str]:
    """The token stands in no argument list, where other users of the machine could see it."""
    return _with_config(repository, (*_CONFIG, *_http(address, token)))


def _http(address: Address, token: str) -> Iterator[tuple[str, str]]:
    if not token:
        yield "http.followRedirects", "initial"
        return
    # curl would send a header of ours to wherever the server points.
    yield "http.followRedirects", "false"
    yield f"http.{address.origin}.extraHeader", header_of(token)


def _with_config(repository: Path, config: tuple[tuple[str, str], ...]) -> dict[str, str]:
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    numbered = {f"GIT_CONFIG_KEY_{number}": key for number, (key, _) in enumerate(config)}
    numbered |= {f"GIT_CONFIG_VALUE_{number}": value for number, (_, value) in enumerate(config)}
    return {
        **passed_on,
        **numbered,
        "GIT_CONFIG_COUNT": str(len(config)),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": ":".join(SCHEMES),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS": "",
        "GIT_SSH_COMMAND": _SSH,
        "GIT_DIR": str(repository),
        # Nobody's .netrc, which holds passwords.
        "HOME": str(repository),
        "LC_ALL": "C",
    }
