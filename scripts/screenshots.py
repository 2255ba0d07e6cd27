"""Take the pictures of the documentation anew, from a fresh server with the demo, in Debian's chromium.

make screenshots   (python -m scripts.screenshots)
"""

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from agnes.tests.server import ROOT, Server, environment_without_agnes

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
    with (
        tempfile.TemporaryDirectory(prefix="agnes-pictures-") as folder,
        Server({**environment_without_agnes(), "AGNES_DATA_DIR": folder, "DEBUG": "true"}) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_OPTIONS)
        take(browser, server)
        browser.close()
        server.stop()


def take(browser: Browser, server: Server) -> None:
    page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
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
