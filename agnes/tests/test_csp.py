"""Promise 7: a strict Content-Security-Policy on every page, and pages that work under it."""

import os
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from agnes.tests.routes import world
from agnes.tests.test_routes import ALL, url

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}
# What somebody uploaded: it may do nothing at all.
SANDBOX = {"sandbox", "default-src 'none'"}
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGES = [
    endpoint for endpoint in ALL if (row := endpoint.row()) and endpoint.method == "GET" and row.admin == 200
]
# A script, downloads, and a page whose status the browser's console calls an error.
NO_PAGES = (
    "/admin/jsi18n",
    "/admin/activity/activity.csv",
    "/api/admin/usage/export",
    "/api/admin/users/",
    "/nothing",
)
MORE_PAGES = ["/admin/login/", "/nothing", "/admin/accounts/accesstoken/add/?user={bob}"]


class InlineFinder(HTMLParser):
    """Collects what the policy would block."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        data = given.get("type") == "application/json"
        if tag == "style" or (tag == "script" and "src" not in given and not data):
            self.found.append(f"<{tag}>")
        self.found += [f"<{tag} {name}>" for name in given if name == "style" or name.startswith("on")]
        self.found += [
            f"<{tag} {name}={given[name]}>"
            for name in ("src", "href", "action")
            if given.get(name, "").startswith("javascript:") or (tag != "a" and "//" in given.get(name, ""))
        ]


def inline_parts(page: str) -> list[str]:
    finder = InlineFinder()
    finder.feed(page)
    return finder.found


def policy(response: Any) -> set[str]:
    return {part.strip() for part in response["Content-Security-Policy"].split(";")}


@pytest.fixture
def addresses(alice: User, bob: User) -> list[str]:
    names: dict[str, object] = {"alice": alice.pk, "bob": bob.pk, **world(bob)}
    rows = [(endpoint, endpoint.row()) for endpoint in PAGES]
    return [url(it, row, names) for it, row in rows if row] + [page.format(**names) for page in MORE_PAGES]


@pytest.mark.django_db
class TestEveryPage:
    def test_it_has_the_policy_and_nothing_inline(self, addresses: list[str], alice: User):
        client = Client()
        client.force_login(alice)
        for address in addresses:
            answer = client.get(address)
            is_upload = "/files/" in address
            assert policy(answer) == (SANDBOX if is_upload else POLICY), address
            assert answer["X-Frame-Options"] == "DENY"
            if answer["Content-Type"].startswith("text/html"):
                assert inline_parts(answer.content.decode()) == [], address

    def test_the_api_and_errors_have_it_too(self, client):
        for address in ("/api/nothing", "/api/docs", "/nothing", "/admin/login/"):
            assert policy(client.get(address)) == POLICY, address

    def test_the_page_of_a_bug_has_it(self, client, monkeypatch):
        client.raise_request_exception = False
        monkeypatch.setattr("agnes.api_docs.operations", None)
        monkeypatch.setattr("agnes.views._is_api", lambda request: False)
        monkeypatch.setattr("django.views.generic.RedirectView.get", None)
        answer = client.get("/", headers={"X-Request-ID": "call-7"})
        assert answer.status_code == 500
        assert "the request <code>call-7</code>" in answer.content.decode()
        assert policy(answer) == POLICY
        assert inline_parts(answer.content.decode()) == []

    def test_the_finder_finds(self):
        page = '<style></style><p style="x" onclick="y"><script>1</script><script src="https://cdn.example/x.js">'
        assert len(inline_parts(page)) == 5


@pytest.fixture
def browser_page(live_server: Any, alice: User, client: Client) -> Iterator[Any]:
    """A page of a real browser, signed in as alice."""
    from playwright.sync_api import sync_playwright

    client.force_login(alice)
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # playwright keeps an event loop in this thread
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
            context = browser.new_context(base_url=live_server.url)
            cookie = client.cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
            yield context.new_page()
            browser.close()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
class TestInABrowser:
    def test_no_page_breaks_the_policy(self, browser_page: Any, addresses: list[str]):
        complaints: list[str] = []
        browser_page.on("console", lambda it: complaints.append(it.text) if it.type == "error" else None)
        browser_page.on("pageerror", lambda it: complaints.append(str(it)))
        broken: dict[str, list[str]] = {}
        for address in (it for it in addresses if not it.startswith(NO_PAGES)):
            browser_page.goto(address, wait_until="load")
            wide = browser_page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
            if complaints or wide:
                broken[address] = [*complaints, *(["the page scrolls sideways"] if wide else [])]
            complaints.clear()
        assert not broken

    def test_the_forms_work_under_it(self, browser_page: Any, bob: User):
        """The person is found by the autocomplete field; the secret is copied by its button."""
        complaints: list[str] = []
        browser_page.on("console", lambda it: complaints.append(it.text) if it.type == "error" else None)
        browser_page.goto("/admin/accounts/accesstoken/add/")
        browser_page.click(".select2-selection")
        browser_page.fill(".select2-search__field", "bob")
        browser_page.click(".select2-results__option--highlighted:has-text('bob@example.com')")
        browser_page.fill("#id_name", "laptop")
        browser_page.click("input[name=_save]")
        assert browser_page.text_content("#secret").startswith("agnes_")
        browser_page.wait_for_selector("button[data-copy]", state="visible")
        assert complaints == []

    def test_the_theme_is_chosen_and_kept(self, browser_page: Any):
        background = "getComputedStyle(document.body).backgroundColor"
        browser_page.goto("/admin/")
        light = browser_page.evaluate(background)
        browser_page.click("#header .theme-toggle")
        dark = browser_page.evaluate(background)
        assert light != dark
        for address in ("/admin/accounts/user/", "/api/docs"):
            browser_page.goto(address)
            assert browser_page.evaluate(background) == dark
