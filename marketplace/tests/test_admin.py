"""The admin pages of the marketplaces."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils.module_loading import import_string
from django_q.models import OrmQ

from accounts.models import AuditLog, User
from marketplace.admin import marketplaces
from marketplace.catalogue.removing import remove_marketplace
from marketplace.models import Marketplace
from marketplace.tests.conftest import Run
from marketplace.tests.repositories import MARKETPLACE_JSON, Repository, kit, marketplace

pytestmark = pytest.mark.django_db
LIST = "/admin/marketplace/marketplace/"


@pytest.fixture
def manager(dana: User) -> Client:
    """Staff who may manage marketplaces, and nothing else."""
    dana.user_permissions.add(Permission.objects.get(codename="manage_marketplaces"))
    client = Client()
    client.force_login(dana)
    return client


def work_off_queue() -> None:
    """What the task worker would do."""
    for queued in OrmQ.objects.all():
        task = queued.task
        queued.delete()
        import_string(task["func"])(*task["args"])


def add(client: Client, url: str, **fields: str) -> str:
    answer = client.post(
        f"{LIST}add/", {"url": url, "slug": "", "ref": "", "token_env": "", **fields}, follow=True
    )
    assert answer.status_code == 200
    return answer.content.decode()


class TestAdding:
    def test_it_is_registered_and_synced_by_the_worker(
        self, manager: Client, dana: User, repository: Repository
    ):
        repository.commit(kit())
        assert "The task worker syncs it now" in add(manager, repository.url)
        stored = Marketplace.objects.get()
        assert (stored.slug, stored.state) == ("kits", "new")
        work_off_queue()
        stored.refresh_from_db()
        assert stored.state == "synced"
        actions = AuditLog.objects.filter(action__startswith="marketplace.").order_by("pk")
        assert list(actions.values_list("action", "actor", "client_kind")) == [
            ("marketplace.add", dana.pk, "web"),
            ("marketplace.sync", dana.pk, "task"),
        ]

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"url": "https://me:s3cret@git.example.com/x"}, "credentials"),
            ({"url": "ext::sh"}, "Only https, ssh and file"),
            ({"url": ""}, "required"),
            ({"ref": "-x"}, "no name of a branch"),
            ({"token_env": "SECRET_KEY"}, "must have a name like"),
            ({"slug": "A b"}, "cannot be a short name"),
            ({"slug": "taken"}, "There is a marketplace taken already"),
        ],
    )
    def test_what_is_refused_is_said_at_its_field(
        self, manager: Client, fields: dict[str, str], message: str
    ):
        Marketplace.objects.create(slug="taken", url="file:///x")
        page = add(manager, **{"url": "https://git.example.com/x", **fields})
        assert message in page
        assert "errorlist" in page
        assert "s3cret" not in page
        assert Marketplace.objects.count() == 1
        assert not OrmQ.objects.exists()


class TestList:
    @pytest.fixture
    def failed(self, repository: Repository, manager: Client) -> Marketplace:
        """It was synced once, and then could not be."""
        repository.commit(kit() | {"acme-kit/agents/bad/x.txt": ""})
        add(manager, repository.url)
        work_off_queue()
        repository.commit({MARKETPLACE_JSON: "{<script>alert(1)</script>"})
        manager.post(LIST, {"action": "sync_now", "_selected_action": [Marketplace.objects.get().pk]})
        work_off_queue()
        return Marketplace.objects.get()

    def test_it_shows_state_commit_and_why_it_failed(self, manager: Client, failed: Marketplace):
        page = manager.get(LIST).content.decode()
        assert "last sync failed" in page
        assert failed.commit[:12] in page
        assert "marketplace.json" in page
        assert "<script>alert" not in page

    def test_the_page_of_one(self, manager: Client, failed: Marketplace):
        page = manager.get(f"{LIST}{failed.pk}/change/").content.decode()
        for shown in ("acme-market", failed.commit, "marketplace.json", "file://"):
            assert shown in page

    def test_its_address_can_be_corrected(self, manager: Client, failed: Marketplace, tmp_path):
        moved = Repository(tmp_path / "repositories" / "moved")
        moved.commit(kit())
        fields = {"url": moved.url, "ref": "", "token_env": ""}
        manager.post(f"{LIST}{failed.pk}/change/", fields)
        work_off_queue()
        failed.refresh_from_db()
        assert (failed.slug, failed.url, failed.state) == ("kits", moved.url, "synced")
        assert AuditLog.objects.filter(action="marketplace.change").count() == 1

    def test_it_cannot_be_deleted(self, manager: Client, failed: Marketplace):
        assert manager.get(f"{LIST}{failed.pk}/delete/").status_code == 403


class TestPermissions:
    def test_who_may_only_look_changes_nothing(self, dana: User, client: Client):
        dana.user_permissions.add(Permission.objects.get(codename="view_marketplace"))
        client.force_login(dana)
        marketplace = Marketplace.objects.create(slug="x", url="file:///x")
        assert client.get(LIST).status_code == 200
        assert client.get(f"{LIST}{marketplace.pk}/change/").status_code == 200
        assert client.post(f"{LIST}{marketplace.pk}/change/", {"url": "file:///y"}).status_code == 403
        assert client.get(f"{LIST}add/").status_code == 403
        client.post(LIST, {"action": "sync_now", "_selected_action": [marketplace.pk]})
        assert not OrmQ.objects.exists()


class TestRemoving:
    @pytest.fixture
    def added(self, repository: Repository, run: Run) -> Marketplace:
        repository.commit(kit())
        run("marketplace_add", repository.url)
        return Marketplace.objects.get()

    def test_it_asks_first(self, manager: Client, dana: User, added: Marketplace):
        form = {"action": "remove", "_selected_action": added.pk}
        page = manager.post(LIST, form).content.decode()
        assert "kits</strong> (1 plugin)" in page
        assert Marketplace.objects.registered().exists()
        answer = manager.post(LIST, {**form, "confirmed": "Remove"}, follow=True)
        assert "Removed kits: 1 plugins left the catalogue." in answer.content.decode()
        assert not Marketplace.objects.registered().exists()
        row = AuditLog.objects.get(action="marketplace.remove")
        assert (row.actor, row.client_kind) == (dana.pk, "web")

    def test_it_says_where_it_shows_not_all_findings(
        self, manager: Client, repository: Repository, run: Run, monkeypatch: pytest.MonkeyPatch
    ):
        repository.commit(
            marketplace({"name": ""}, {"name": "a", "source": "/a"}, {"name": "b", "source": 7})
        )
        run("marketplace_add", repository.url)
        page = f"{LIST}{Marketplace.objects.get().pk}/change/"
        whole = manager.get(page).content.decode()
        assert "a: Does not load" in whole
        assert "Only the first" not in whole
        monkeypatch.setattr(marketplaces, "SHOWN_FINDINGS", 1)
        cut = manager.get(page).content.decode()
        assert "Only the first 1 are shown." in cut
        assert "a: Does not load" not in cut

    def test_one_that_was_removed_cannot_be_changed(self, manager: Client, added: Marketplace):
        remove_marketplace(added)
        page = f"{LIST}{added.pk}/change/"
        assert manager.get(page).status_code == 200
        assert manager.post(page, {"url": "file:///srv/other"}).status_code == 403
        form = {"action": "remove", "_selected_action": added.pk, "confirmed": "Remove"}
        assert "was removed" in manager.post(LIST, form, follow=True).content.decode()
