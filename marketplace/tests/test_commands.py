"""The commands of the marketplaces, as an operator meets them."""

import pytest
from django.core.management import CommandError

from accounts.models import AuditLog, User
from marketplace.models import Component, Marketplace, Plugin
from marketplace.tasks import sync_all
from marketplace.tests.conftest import Run
from marketplace.tests.repositories import Repository, kit
from telemetry.models import UsagePluginDaily
from telemetry.processors.processing import process
from telemetry.tests.builders import transcript_bytes
from telemetry.tests.figures import upload
from telemetry.tests.test_attribution import item_of, skill_call

pytestmark = pytest.mark.django_db


class TestAdd:
    def test_it_registers_and_syncs(self, repository: Repository, run: Run):
        commit = repository.commit(kit())
        printed = run("marketplace_add", repository.url, "--slug", "team", "--ref", "main")
        assert printed.startswith("Added team.\nteam: 1 plugins at " + commit[:12] + ", 1 added, ")
        stored = Marketplace.objects.get()
        assert (stored.url, stored.ref, stored.state) == (repository.url, "main", "synced")

    @pytest.mark.parametrize(
        ("name", "slug"), [("kits.git", "kits"), ("Team Plugins", ""), ("Team_Plugins--2", "team_plugins-2")]
    )
    def test_without_a_short_name_the_repositorys_is_taken(self, run: Run, tmp_path, name: str, slug: str):
        url = f"file://{tmp_path}/{name}"
        if not slug:
            with pytest.raises(CommandError, match="spaces"):
                run("marketplace_add", url)
            return
        with pytest.raises(CommandError, match="There is no repository"):
            run("marketplace_add", url)
        assert Marketplace.objects.get().slug == slug

    def test_one_that_cannot_be_synced_stays_and_says_what_to_do(self, run: Run, tmp_path):
        with pytest.raises(
            CommandError, match=r"stays registered as x: then run `manage.py marketplace_sync x`"
        ):
            run("marketplace_add", f"file://{tmp_path}/x")
        assert Marketplace.objects.get().state == "failed"

    @pytest.mark.parametrize(
        ("args", "cure"),
        [
            (["https://me:s3cret@git.example.com/x"], "AGNES_GIT_TOKEN_"),
            (["ext::sh"], "Only https, ssh and file"),
            (["git@git.example.com:a/b.git"], "ssh://git@host/path"),
            (["https://git.example.com/x", "--ref=-x"], "branch, tag or commit"),
            (["https://git.example.com/x", "--token-env", "SECRET_KEY"], "AGNES_GIT_TOKEN_"),
            (["file:///srv/x", "--token-env", "AGNES_GIT_TOKEN_X"], "https only"),
            (["https://git.example.com/x", "--slug", "Not/A slug"], "small letters"),
            (["https://git.example.com/x", "--slug=-x"], "small letters"),
            (["https://git.example.com/---"], "small letters"),
        ],
    )
    def test_what_is_refused_leaves_nothing(self, run: Run, args: list[str], cure: str):
        with pytest.raises(CommandError, match=cure) as refused:
            run("marketplace_add", *args)
        assert "s3cret" not in str(refused.value)
        assert not Marketplace.objects.exists()

    def test_a_short_name_is_taken_once(self, repository: Repository, run: Run):
        repository.commit(kit())
        run("marketplace_add", repository.url)
        with pytest.raises(CommandError, match=r"There is a marketplace kits already. Give another"):
            run("marketplace_add", repository.url)
        assert Marketplace.objects.count() == 1


class TestSync:
    def test_all_or_those_that_are_named(self, repository: Repository, run: Run):
        repository.commit(kit())
        run("marketplace_add", repository.url)
        run("marketplace_add", repository.url, "--slug", "again")
        assert len(run("marketplace_sync").splitlines()) == 2
        assert run("marketplace_sync", "again", "again").startswith("again: 1 plugins at ")

    def test_an_unknown_one(self, run: Run):
        with pytest.raises(CommandError, match="There is no marketplace 'nothing'"):
            run("marketplace_sync", "nothing")

    def test_none_at_all(self, run: Run):
        assert "add one with `manage.py marketplace_add`" in run("marketplace_sync")


@pytest.mark.django_db(transaction=True)
class TestRemove:
    @pytest.fixture(autouse=True)
    def added(self, repository: Repository, run: Run) -> None:
        repository.commit(kit())
        run("marketplace_add", repository.url)

    def test_its_plugins_leave_the_catalogue_and_stay_known(self, run: Run):
        assert "1 plugins of kits would leave" in run("marketplace_remove", "kits", "--dry-run")
        assert Plugin.objects.current().count() == 1
        assert "Removed kits: 1 plugins left the catalogue." in run("marketplace_remove", "kits")
        assert not Plugin.objects.current().exists()
        ended = set(Component.objects.values_list("canonical_id", flat=True))
        assert "acme:rows" in ended
        assert not Component.objects.filter(valid_to=None).exists()
        assert item_of(*skill_call("acme:rows")).ref_id == "kits/acme-kit"
        row = AuditLog.objects.get(action="marketplace.remove")
        assert (row.target, row.params, row.client_kind) == ("marketplace:kits", {"plugins": 1}, "command")

    def test_what_was_used_stays_its_own(self, run: Run, bob: User):
        upload(bob, transcript_bytes([*skill_call("acme:rows")]))
        process("usage")
        run("marketplace_remove", "kits")
        process("usage")
        assert UsagePluginDaily.objects.get().ref_id == "kits/acme-kit"

    def test_it_is_fetched_no_more(self, run: Run, repository: Repository):
        run("marketplace_remove", "kits")
        assert "There is no marketplace yet" in run("marketplace_sync")
        assert sync_all() == {"queued": []}
        for command in ("marketplace_sync", "marketplace_remove"):
            with pytest.raises(CommandError):
                run(command, "kits")
        assert Marketplace.objects.get().state == "removed"
        assert not Plugin.objects.current().exists()

    def test_its_short_name_stays_taken_and_its_repository_does_not(self, run: Run, repository: Repository):
        run("marketplace_remove", "kits")
        with pytest.raises(CommandError, match="already"):
            run("marketplace_add", repository.url)
        run("marketplace_add", repository.url, "--slug=kits-2")
        assert item_of(*skill_call("acme:rows")).ref_id == "kits-2/acme-kit"
