"""The real Claude Code, with a home of its own, everything else it might want to reach shut off."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGE = "@anthropic-ai/claude-code"
INSTALL_SECONDS = 300


def install(folder: Path) -> Path:
    """The command, from CLAUDE_CODE or npm; the test is skipped where neither has it."""
    if given := os.environ.get("CLAUDE_CODE"):
        return Path(given)
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not on this machine, so Claude Code cannot be installed")
    done = subprocess.run(
        [npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", PACKAGE],
        capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False,
    )  # fmt: skip
    command = folder / "node_modules/.bin/claude"
    if done.returncode or not command.exists():
        pytest.skip(f"npm could not install {PACKAGE}: {done.stderr[-200:]}")
    return command


def environment(home: Path, model_api: str) -> dict[str, str]:
    closed = "http://127.0.0.1:9"
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "ANTHROPIC_BASE_URL": model_api,
        "ANTHROPIC_API_KEY": "sk-ant-none",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        **{f"{scheme}_PROXY": closed for scheme in ("HTTP", "HTTPS", "ALL")},
        **{f"{scheme}_proxy": closed for scheme in ("http", "https", "all")},
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "GIT_TERMINAL_PROMPT": "0",
    }
