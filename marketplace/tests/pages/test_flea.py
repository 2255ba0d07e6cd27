"""The page of an item of the flea market, as its owner, an admin and others see it."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditLog, User
from marketplace.guardrails import UploadedFile
from marketplace.models import StoreEntity, StoreVersion
from marketplace.store.uploading import upload
from marketplace.store.versions import upload_version
from marketplace.tests.pages.test_list import shown, text_of
from marketplace.tests.planting import plant_entity
from marketplace.tests.store.conftest import SECRET, plugin, skill
from marketplace.tests.store.conftest import inspected_here as inspected_here

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("inspected_here")]
STOP = {"type": "command", "command": "./stop.sh now"}
POWERS = {
    "kit/hooks/hooks.json": json.dumps({"hooks": {"Stop": [{"hooks": [STOP]}]}}),
    "kit/.mcp.json": '{"mcpServers": {"db": {"command": "npx", "args": ["-y", "db-server@1.2.3"]}}}',
    "kit/stop.sh": "#!/bin/sh\necho stop\n",
    "kit/skills/wide/SKILL.md": "---\nname: wide\nallowed-tools: Bash\n---\n\nRun !`git status`\n",
}


@pytest.fixture
def uploaded(tmp_path: Any) -> Any:
    """`uploaded(bob, files)` is what became of them; with `entity`, a new version of that."""

    def call(person: User, files: dict[str, str], entity: StoreEntity | None = None) -> StoreEntity:
        sent = []
        for number, (path, content) in enumerate(files.items()):
            file = tmp_path / f"{person.pk}-{number}"
            file.write_text(content)
            sent.append(UploadedFile(path, file))
        made = upload_version(entity, sent, by=person) if entity else upload(sent, by=person)
        return StoreEntity.objects.get(pk=made.entity.pk)

    return call


@pytest.fixture
def browser(client: Client) -> Any:
    def sign_in(person: User) -> Client:
        client.force_login(person)
        return client

    return sign_in


def page_of(entity: StoreEntity) -> str:
    return f"/marketplace/flea/{entity.pk}/"


class TestAPublishedItem:
    def test_it_says_who_uploaded_what_and_when(self, browser: Any, bob: User, charlie: User, uploaded: Any):
        entity = uploaded(bob, plugin("row-kit"))
        text = text_of(shown(browser(charlie), page_of(entity)))
        assert "by Bob" in text
        assert entity.served.digest in text
        assert len(entity.served.digest) == 64
        assert "accepted by the guardrails just now" in text
        assert "Withdraw" not in text

    def test_it_shows_its_powers(self, browser: Any, bob: User, charlie: User, uploaded: Any):
        entity = uploaded(bob, plugin("kit") | POWERS)
        assert entity.state == "published"
        text = text_of(shown(browser(charlie), page_of(entity)))
        assert "Runs on your machine" in text
        for line in (
            "hook at Stop ./stop.sh now",
            "MCP server named db npx -y db-server@1.2.3",
            "script when something calls it stop.sh",
            "wide grant in skills/wide/SKILL.md",
            "inline shell in skills/wide/SKILL.md:6 It runs: git status",
        ):
            assert line in text, line

    def test_one_without_any_says_so(self, browser: Any, bob: User, charlie: User, uploaded: Any):
        entity = uploaded(bob, skill("tidy-up"))
        assert "no scripts, hooks or servers" in text_of(shown(browser(charlie), page_of(entity)))

    def test_its_files_are_looked_at_inertly(self, browser: Any, bob: User, charlie: User, uploaded: Any):
        svg = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(2)</script></svg>'
        entity = uploaded(bob, skill("tidy-up") | {"logo.svg": svg})
        address = f"/api/store/entities/{entity.pk}/versions/1/files/skills/tidy-up/logo.svg"
        page = shown(browser(charlie), page_of(entity))
        assert f'href="{address}"' in page
        answer = browser(charlie).get(address)
        assert answer["Content-Type"] == "text/plain; charset=utf-8"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer["Content-Security-Policy"]

    def test_others_see_nothing_of_what_waits(self, browser: Any, bob: User, charlie: User, uploaded: Any):
        entity = uploaded(bob, skill("tidy-up"))
        uploaded(bob, skill("tidy-up", SECRET), entity)
        page = shown(browser(charlie), page_of(entity))
        assert "waits" not in page
        assert "versions/2/" not in page
        assert browser(charlie).get(f"{page_of(entity)}versions/2/").status_code == 404
        assert browser(charlie).get(f"{page_of(entity)}versions/1/").status_code == 200

    def test_its_owner_and_admins_see_what_waits_beside_it(
        self, browser: Any, bob: User, alice: User, uploaded: Any
    ):
        entity = uploaded(bob, skill("tidy-up"))
        uploaded(bob, skill("tidy-up", SECRET), entity)
        own = text_of(shown(browser(bob), page_of(entity)))
        assert "Version 2 waits for an admin; the one before stays served." in own
        assert "skills/tidy-up/SKILL.md:5" in own
        assert "Release" not in own
        page = shown(browser(alice), page_of(entity))
        assert "<del>-Do it well.</del>" in page
        assert "Release" in text_of(page)

    def test_a_pack_that_is_lost_breaks_no_page(self, browser: Any, bob: User, alice: User):
        entity = plant_entity(bob, "broom")
        StoreVersion.objects.update(pack="store/nowhere.zip")
        for person in (bob, alice):
            assert "cannot be read" in shown(browser(person), page_of(entity))

    def test_the_queries_do_not_grow_with_versions(
        self, browser: Any, bob: User, alice: User, django_assert_max_num_queries: Any
    ):
        entity = plant_entity(bob, "broom")
        for number in range(3, 30):
            plant = StoreVersion.objects.get(entity=entity, number=1)
            plant.pk, plant.number, plant.state, plant.published_at = None, number, "superseded", None
            plant.save()
        client = browser(alice)
        with django_assert_max_num_queries(26):
            shown(client, page_of(entity))


class TestAHeldItem:
    def test_its_owner_and_admins_alone_see_it(
        self, browser: Any, bob: User, charlie: User, alice: User, dana: User, uploaded: Any
    ):
        entity = uploaded(bob, skill("bucket", SECRET))
        for person in (charlie, dana):
            assert browser(person).get(page_of(entity)).status_code == 404
        for person, whose in (
            (bob, "only you and the admins see"),
            (alice, "only its owner and the admins see"),
        ):
            text = text_of(shown(browser(person), page_of(entity)))
            assert "Held." in text
            assert whose in text
            assert "no scripts, hooks or servers" in text
        assert "All that is in it" in text

    def test_an_admin_releases_it(self, browser: Any, bob: User, alice: User, charlie: User, uploaded: Any):
        entity = uploaded(bob, skill("bucket", SECRET))
        answer = browser(alice).post(f"{page_of(entity)}release/", {"version": 1}, follow=True)
        assert "is published" in text_of(answer.content.decode())
        assert "bucket" in shown(browser(charlie), page_of(entity))
        assert AuditLog.objects.get(action="store.release").actor == alice.pk
        again = browser(alice).post(f"{page_of(entity)}release/", {"version": 1}, follow=True)
        assert "does not wait for a decision" in again.content.decode()

    def test_an_admin_refuses_it_with_a_reason_that_its_owner_reads(
        self, browser: Any, bob: User, alice: User, uploaded: Any
    ):
        entity = uploaded(bob, skill("bucket", SECRET))
        act = f"{page_of(entity)}refuse/"
        answer = browser(alice).post(act, {"version": 1, "reason": " "}, follow=True)
        assert "Nothing was changed." in answer.content.decode()
        browser(alice).post(act, {"version": 1, "reason": "Take the <b>key</b> out."})
        page = shown(browser(bob), page_of(entity))
        assert "Refused" in text_of(page)
        assert "Take the &lt;b&gt;key&lt;/b&gt; out." in page
        assert "alice@example.com" not in page
        assert "refused by an admin" in text_of(page)


class TestActions:
    @pytest.fixture
    def entity(self, bob: User) -> StoreEntity:
        return plant_entity(bob, "broom")

    def act(self, client: Client, entity: StoreEntity, name: str, **said: object) -> str:
        answer = client.post(f"{page_of(entity)}{name}/", said, follow=True)
        assert answer.status_code == 200
        entity.refresh_from_db()
        return text_of(answer.content.decode())

    def test_the_owner_describes(self, browser: Any, bob: User, entity: StoreEntity):
        assert "The description is saved." in self.act(browser(bob), entity, "describe", description="Neat.")
        assert "Neat." in shown(browser(bob), page_of(entity))
        assert "nobody sees" in self.act(browser(bob), entity, "describe", description="a\u202eb")
        assert entity.description == "Neat."

    def test_the_owner_withdraws_when_asked_twice(
        self, browser: Any, bob: User, charlie: User, entity: StoreEntity
    ):
        assert "Tick the box" in self.act(browser(bob), entity, "withdraw")
        assert entity.state == "published"
        assert "Archived." in self.act(browser(bob), entity, "withdraw", confirmed="on")
        assert browser(charlie).get(page_of(entity)).status_code == 404

    def test_the_owner_gives_it_away(self, browser: Any, bob: User, charlie: User, entity: StoreEntity):
        said = {"email": "nobody@example.com", "confirmed": "on"}
        assert "Nobody with this address" in self.act(browser(bob), entity, "transfer", **said)
        self.act(browser(bob), entity, "transfer", email=charlie.email, confirmed="on")
        assert entity.owner == charlie
        assert "Your item" not in shown(browser(bob), page_of(entity))

    def test_the_owner_deletes(self, browser: Any, bob: User, entity: StoreEntity):
        answer = browser(bob).post(f"{page_of(entity)}delete/", {"confirmed": "on"}, follow=True)
        assert answer.redirect_chain[-1][0] == "/marketplace/uploads/"
        assert "broom is deleted." in answer.content.decode()
        assert not StoreEntity.objects.exists()

    def test_an_admin_takes_down(self, browser: Any, bob: User, alice: User, entity: StoreEntity):
        assert "take-down" not in shown(browser(bob), page_of(entity))
        text = self.act(browser(alice), entity, "take-down", reason="Harmful.")
        assert "Taken down" in text
        assert (entity.state, bool(entity.taken_down_at)) == ("archived", True)
        assert "Harmful." in shown(browser(bob), page_of(entity))
        assert "Held." in shown(browser(bob), page_of(entity))

    def test_who_owns_it_decides_nothing(self, browser: Any, bob: User, entity: StoreEntity):
        for name in ("release", "refuse", "take-down"):
            said = {"version": 2, "reason": "Mine."}
            assert browser(bob).post(f"{page_of(entity)}{name}/", said).status_code == 403

    def test_other_sites_do_nothing(self, bob: User, entity: StoreEntity):
        client = Client(enforce_csrf_checks=True)
        client.force_login(bob)
        assert client.post(f"{page_of(entity)}delete/", {"confirmed": "on"}).status_code == 403
        assert StoreEntity.objects.exists()
