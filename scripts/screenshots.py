"""Take the pictures of the documentation anew, from a fresh server with the demo, in Debian's chromium.

make screenshots   (python -m scripts.screenshots)
"""

import contextlib
import sqlite3
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from agnes.tests.server import ROOT, Server, environment_without_agnes, wait_until

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# With the demo, on a machine that is busy otherwise.
FIRST_START_SECONDS = 300
# Whether the worker has attributed the demo's sessions once more, and nothing waits for it since.
SETTLED = """
    SELECT EXISTS (SELECT 1 FROM django_q_task WHERE func = 'marketplace.tasks.reattribute' AND success)
        AND NOT EXISTS (SELECT 1 FROM session_transcripts WHERE is_unsettled)
        AND NOT EXISTS (SELECT 1 FROM usage_dirty_days)
"""
IMAGES = ROOT / "docs" / "images"
PICTURES = {
    "marketplace.png": "/marketplace/",
    "front-page.png": "/admin/",
    "sessions.png": "/admin/telemetry/session/",
    "person.png": "/admin/users/2/",
}
WIDTH, HEIGHT = 1440, 900


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="agnes-pictures-") as folder, sync_playwright() as playwright:
        server = Server({**environment_without_agnes(), "AGNES_DATA_DIR": folder, "DEBUG": "true"})
        server.start(seconds=FIRST_START_SECONDS)
        try:
            settle(server)
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_OPTIONS)
            take(browser, server)
            browser.close()
        finally:
            server.stop()


def settle(server: Server) -> None:
    """No picture shall show that something waits."""
    with contextlib.closing(
        sqlite3.connect(Path(server.environment["AGNES_DATA_DIR"], "agnes.sqlite3"))
    ) as it:
        wait_until(lambda: bool(it.execute(SETTLED).fetchone()[0]), FIRST_START_SECONDS)


def take(browser: Browser, server: Server) -> None:
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
    page.set_default_timeout(120_000)
    page.goto(f"{server.url}/admin/login/")
    page.fill("[name=username]", server.email())
    page.fill("[name=password]", server.password() or "")
    page.click("[type=submit]")
    page.evaluate("localStorage.setItem('django.admin.navSidebarIsOpen', 'false')")
    for name, path in PICTURES.items():
        page.goto(f"{server.url}{path}")
        page.screenshot(path=IMAGES / name)
        print(Path("docs/images", name))


if __name__ == "__main__":
    main()
