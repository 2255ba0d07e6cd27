"""The flea market's pages in a real browser: uploading, and what strangers wrote stays text."""

from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from agnes.tests.test_csp import browser_page  # noqa: F401
from agnes.tests.test_look_in_a_browser import (
    ENOUGH,
    FAINT,
    SCHEMES,
    SIDEWAYS,
    SMALL,
    SMALLEST_TARGET,
    WIDTHS,
)
from agnes.tests.test_marketplace_in_a_browser import SMALL_LINKS
from marketplace.models import StoreEntity
from marketplace.tests.planting import plant_entity
from marketplace.tests.store.conftest import SECRET, skill, zipped

UPLOAD = "/marketplace/upload/"
ATTACK = "<img src=x onerror=\"window.hurt='{}'\"><script>window.hurt='{}'</script>"
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" onload="window.hurt=1"><script>window.hurt="svg"</script></svg>'
)
PAGE = "<!DOCTYPE html><script>window.hurt='html'</script><h1>Hello</h1>"
README = f"""# Kit {ATTACK.format("readme", "readme")}

[click](javascript:window.hurt='link') [data](data:text/html,<script>window.hurt='data'</script>)
![x](https://evil.example/x.png "onerror=alert(1)") <iframe src="javascript:window.hurt='frame'"></iframe>
"""


def attack(place: str) -> str:
    return ATTACK.format(place, place)


def hostile() -> dict[str, str]:
    """Accepted by the guardrails, or held: text that is only dangerous where it is shown."""
    manifest = (
        '{"name": "kit", "description": %s, "author": {"name": %s, "url": "javascript:window.hurt=2"}, '
    )
    manifest += '"homepage": "javascript:window.hurt=3", "keywords": [%s], "version": "1.0.0"}'
    texts = [_json(attack(place)) for place in ("description", "author", "keyword")]
    hooks = '{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": %s}]}]}}'
    return {
        "kit/.claude-plugin/plugin.json": manifest % tuple(texts),
        "kit/skills/rows/SKILL.md": f"---\nname: rows\ndescription: {_json(attack('skill'))}\n---\n{PAGE}\n",
        "kit/hooks/hooks.json": hooks % _json(attack("hook")),
        "kit/README.md": README,
        "kit/pictures/logo.svg": SVG,
        "kit/pictures/page.html": PAGE,
        "kit/pictures/&lt;img src=x onerror=window.hurt=4&gt;.md": "Named so.\n",
        "kit/pictures/' onclick='window.hurt=5' {{ x }} %2e%2e.md": "Named so.\n",
    }


def _json(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.fixture
def complaints(browser_page: Any) -> list[str]:  # noqa: F811
    """What the browser says of a page: violations of the policy, errors of scripts, and dialogs."""
    said: list[str] = []
    browser_page.on("console", lambda it: said.append(it.text) if it.type == "error" else None)
    browser_page.on("pageerror", lambda it: said.append(str(it)))

    def note(dialog: Any) -> None:
        said.append(dialog.message)
        dialog.dismiss()

    browser_page.on("dialog", note)
    return said


def send(page: Any, files: dict[str, str], folder: Path) -> None:
    archive = folder / "upload.zip"
    archive.write_bytes(zipped(files))
    page.goto(UPLOAD)
    page.set_input_files("[name=file]", archive)
    page.click("form.upload button")
    page.wait_for_selector(".notice[role]:not(.picked)")


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
class TestWhatStrangersWrote:
    def test_it_is_shown_and_never_run(self, browser_page: Any, complaints: list[str], tmp_path: Path):  # noqa: F811
        page = browser_page
        send(page, hostile(), tmp_path)
        entity = StoreEntity.objects.get()
        api = f"/api/store/entities/{entity.pk}/versions/1/files"
        item = f"/marketplace/flea/{entity.pk}/"
        addresses = [
            *("/marketplace/", "/marketplace/?q=kit", "/marketplace/uploads/"),
            *(item, f"{item}versions/1/", f"{item}upload/"),
            *(f"{api}/pictures/logo.svg", f"{api}/pictures/page.html", f"{api}/README.md"),
            f"/admin/marketplace/storeversion/{entity.versions.get().pk}/change/",
        ]
        hurt = {"the verdict": page.evaluate("window.hurt")}
        for address in addresses:
            assert page.goto(address).status == 200, address
            hurt[address] = page.evaluate("window.hurt")
            assert not page.query_selector("main img:not([src^='/']), iframe, [onerror], [onload]"), address
            assert not page.query_selector("a[href^='javascript:'], a[href^='data:']"), address
        assert {where: it for where, it in hurt.items() if it is not None} == {}
        assert complaints == []

    def test_every_file_of_it_is_reached(self, browser_page: Any, complaints: list[str], tmp_path: Path):  # noqa: F811
        page = browser_page
        send(page, hostile(), tmp_path)
        page.goto(f"/marketplace/flea/{StoreEntity.objects.get().pk}/")
        links = page.eval_on_selector_all(".files a", "links => links.map((it) => it.href)")
        assert len(links) == len(hostile())
        for link in links:
            answer = page.request.get(link)
            assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8"), link

    def test_what_a_rejection_cites_is_text(self, browser_page: Any, complaints: list[str], tmp_path: Path):  # noqa: F811
        name = f"<img src=x onerror=window.hurt=1>{'x' * 300}.md"
        send(browser_page, skill("kit") | {name: attack("name")}, tmp_path)
        assert "nothing of it was kept" in browser_page.text_content("main")
        assert browser_page.evaluate("window.hurt") is None
        assert browser_page.query_selector("main .findings img") is None
        # The status 422 of the page itself.
        assert [it for it in complaints if "422" not in it] == []


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
class TestUploading:
    def test_a_folder(self, browser_page: Any, complaints: list[str], tmp_path: Path):  # noqa: F811
        folder = tmp_path / "notes"
        (folder / "reference").mkdir(parents=True)
        (folder / "SKILL.md").write_text(skill("notes")["SKILL.md"])
        (folder / "reference" / "style.md").write_text("Short.\n")
        browser_page.goto(UPLOAD)
        browser_page.set_input_files("[name=folder]", folder)
        assert browser_page.text_content(".picked").startswith("2 files")
        browser_page.click("form.upload button")
        browser_page.click(".notice a:has-text('notes')")
        assert browser_page.is_visible("text=skills/notes/reference/style.md")
        assert complaints == []

    def test_what_is_too_large_is_said_before_it_is_sent(self, browser_page: Any, tmp_path: Path):  # noqa: F811
        large = tmp_path / "large.zip"
        with large.open("wb") as file:
            file.truncate(21 * 1024**2)
        browser_page.goto(UPLOAD)
        browser_page.set_input_files("[name=file]", large)
        assert "too much" in browser_page.text_content(".picked")
        assert browser_page.is_disabled("form.upload button")

    def test_it_works_without_scripts(self, browser_page: Any, tmp_path: Path):  # noqa: F811
        browser_page.goto(UPLOAD)
        context = browser_page.context.browser.new_context(java_script_enabled=False)
        context.add_cookies(browser_page.context.cookies())
        plain = context.new_page()
        plain.goto(browser_page.url)
        (tmp_path / "tidy.md").write_text(skill("tidy")["SKILL.md"])
        plain.set_input_files("[name=file]", tmp_path / "tidy.md")
        plain.click("form.upload button")
        plain.click(".notice a")
        plain.click("text=Add to my stack")
        assert plain.is_visible("text=It is in your stack.")
        plain.click("summary:has-text('Withdraw')")
        plain.check("text=Withdraw tidy")
        plain.click("form button:has-text('Withdraw')")
        assert plain.is_visible("text=Archived.")
        context.close()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_every_page_can_be_read_and_used_on_every_screen(
    browser_page: Any,  # noqa: F811
    complaints: list[str],
    alice: User,
    bob: User,
    tmp_path: Path,
):
    page, broken = browser_page, {}
    long = "a-name-that-is-longer-than-anybody-would-choose-0123456789"
    published = plant_entity(bob, long)
    send(page, skill("bucket", SECRET), tmp_path)
    held = StoreEntity.objects.get(slug="bucket")
    item = f"/marketplace/flea/{published.pk}/"
    page.goto(item)
    page.click("text=Add to my stack")
    addresses = [
        *(UPLOAD, "/marketplace/uploads/", "/marketplace/stack/", "/tokens/", item, f"{item}versions/2/"),
        *(f"{item}upload/", f"/marketplace/flea/{held.pk}/"),
    ]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            for address in addresses:
                assert page.goto(address).status == 200
                for summary in page.locator("summary").all():
                    summary.click()
                found = {
                    "scrolls sideways": page.evaluate(SIDEWAYS),
                    "is faint": page.evaluate(FAINT, ENOUGH),
                    "has small targets": page.evaluate(SMALL, SMALLEST_TARGET)
                    + page.evaluate(SMALL_LINKS, SMALLEST_TARGET),
                }
                broken.update({f"{width} {scheme} {address} {what}": it for what, it in found.items() if it})
    assert not broken
    assert complaints == []
