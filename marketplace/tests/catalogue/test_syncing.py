"""Syncs of real repositories, through the command: the catalogue is replaced, or stays and says why."""

import json
import threading
from shutil import rmtree
from time import sleep
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import AuditLog
from marketplace.catalogue.syncing import sync_marketplace
from marketplace.errors import MarketplaceBusy
from marketplace.git.errors import NotAMarketplace
from marketplace.models import (
    Component,
    Marketplace,
    Plugin,
    PluginVersion,
    Reattribution,
    ServedName,
)
from marketplace.tests.conftest import Run
from marketplace.tests.repositories import MARKETPLACE_JSON, Repository, entry, kit, marketplace, plugin
from telemetry.attribution.lock import write_attribution_alone
from telemetry.database.bulk import fetch
from telemetry.leases import Lease, held
from telemetry.models import SkillAttribution

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def added(repository: Repository, run: Run) -> Marketplace:
    """`kits`, synced once."""
    repository.commit(kit())
    run("marketplace_add", repository.url)
    return Marketplace.objects.get()


def snapshot() -> list[Any]:
    """Everything that a sync may change."""
    return [
        list(Plugin.objects.order_by("pk").values()),
        list(Component.objects.order_by("pk").values()),
        list(PluginVersion.objects.order_by("pk").values()),
        list(SkillAttribution.objects.order_by("pk").values()),
        list(Reattribution.objects.order_by("pk").values()),
    ]


class TestWhatIsStored:
    def test_marketplace_plugin_and_components(self, repository: Repository, run: Run):
        commit = repository.commit(kit())
        run("marketplace_add", repository.url)
        stored = Marketplace.objects.get()
        assert (stored.slug, stored.name, stored.state, stored.commit) == (
            "kits",
            "acme-market",
            "synced",
            commit,
        )
        assert stored.owner == {"name": "Acme", "email": "", "url": ""}
        kept = Plugin.objects.get()
        assert (kept.ref_id, kept.namespace, kept.version) == ("kits/acme-kit", "acme", "1.2.0")
        assert kept.readme == "# Kit\n\nCounts rows.\n"
        assert kept.entry == {"name": "acme-kit", "source": "./acme-kit"}
        assert set(Component.objects.values_list("kind", "name", "canonical_id")) == {
            ("skill", "row-counter", "acme:rows"),
            ("command", "export", "acme:io:export"),
            ("agent", "auditor", "acme:auditor"),
            ("mcp_server", "my.db", "plugin:acme:my.db"),
            ("hook", "Stop", None),
        }
        assert Component.objects.get(kind="hook").details["command"] == "./stop.sh"
        assert Component.objects.get(kind="mcp_server").details["command"] == "db"
        assert list(PluginVersion.objects.values_list("version", "commit")) == [("1.2.0", commit)]

    def test_a_plugin_hosted_elsewhere(self, repository: Repository, run: Run):
        source = {"source": "github", "repo": "o/r", "ref": "v1", "sha": "a" * 40}
        repository.commit(marketplace(entry("far", source, description="Far away.")))
        run("marketplace_add", repository.url)
        far = Plugin.objects.get()
        assert (far.source_kind, far.source_url, far.source_ref) == ("github", "https://github.com/o/r", "v1")
        assert (far.namespace, far.namespace_assumed, far.components_known) == ("far", True, False)

    def test_one_that_does_not_load_says_why(self, repository: Repository, run: Run):
        repository.commit(marketplace(entry("bad", "../bad"), entry("good")) | plugin("good"))
        run("marketplace_add", repository.url)
        assert ".." in str(Plugin.objects.get(name="bad").does_not_load)
        assert Plugin.objects.get(name="good").does_not_load is None

    def test_what_no_database_takes(self, repository: Repository, run: Run):
        strange = 'a\0b\ud800"\\ <script>alert(1)</script>'
        content = json.loads(kit()[MARKETPLACE_JSON])
        content["plugins"][0] |= {"description": strange, "x\0": [strange, {"y": strange}], "z": 10**400}
        text = json.dumps(content).replace('"z":', '"endless": 1e999, "z":')
        more = {"README.md": b"\xff\0" + b"x" * 17_000_000, "skills/\udcff/SKILL.md": "x"}
        repository.commit(kit(more=more) | {MARKETPLACE_JSON: text})
        run("marketplace_add", repository.url)
        kept = Plugin.objects.get()
        assert "<script>alert(1)</script>" in kept.description
        assert len(kept.readme) <= 128 * 1024
        assert kept.readme_is_cut

    def test_symlinks_lead_nowhere_else(self, repository: Repository, run: Run):
        links = {
            "acme-kit/skills/out": "/etc",
            "acme-kit/skills/up": "../../../..",
            "acme-kit/skills/loop": "loop",
            "acme-kit/skills/in": "../../shared",
        }
        repository.commit(kit() | {"shared/SKILL.md": "Shared."}, links)
        run("marketplace_add", repository.url)
        skills = Component.objects.filter(kind="skill").values_list("canonical_id", flat=True)
        assert set(skills) == {"acme:rows", "acme:in"}


class TestAgain:
    def test_the_same_commit_changes_nothing(self, added: Marketplace, run: Run):
        before = snapshot()
        assert "nothing changed" in run("marketplace_sync")
        assert snapshot() == before

    def test_another_commit_that_changes_no_plugin_changes_nothing(
        self, added: Marketplace, repository: Repository, run: Run
    ):
        before = snapshot()
        commit = repository.commit(kit() | {"elsewhere": "1"})
        assert "nothing changed" in run("marketplace_sync")
        assert snapshot() == before
        assert Marketplace.objects.get().commit == commit

    def test_a_plugins_file_makes_it_newer(self, added: Marketplace, repository: Repository, run: Run):
        before = Plugin.objects.get()
        repository.commit(kit() | {"acme-kit/scripts/run.sh": "true"})
        assert "1 updated" in run("marketplace_sync")
        assert Plugin.objects.get().updated_at > before.updated_at

    def test_the_commit_is_the_version_of_a_plugin_without_one(self, repository: Repository, run: Run):
        files = marketplace(entry("a")) | plugin("a")
        first = repository.commit(files)
        run("marketplace_add", repository.url)
        assert Plugin.objects.get().version == first[:12]
        before = Plugin.objects.get().updated_at
        second = repository.commit(files | {"x": "1"})
        assert "nothing changed" in run("marketplace_sync")
        assert (Plugin.objects.get().version, Plugin.objects.get().updated_at) == (second[:12], before)
        third = repository.commit(files | {"a/x": "1"})
        run("marketplace_sync")
        versions = set(PluginVersion.objects.values_list("version", flat=True))
        assert versions == {first[:12], third[:12]}

    def test_versions_are_kept(self, added: Marketplace, repository: Repository, run: Run):
        repository.commit(kit(manifest={"version": "2.0.0"}))
        run("marketplace_sync")
        assert set(PluginVersion.objects.values_list("version", flat=True)) == {"1.2.0", "2.0.0"}

    def test_components_vanish_and_come_back(self, added: Marketplace, repository: Repository, run: Run):
        rows = Component.objects.filter(canonical_id="acme:rows")
        repository.commit(kit(skills={"cols": ""}, manifest={}))
        run("marketplace_sync")
        assert rows.get().valid_to is not None
        assert not Component.objects.filter(kind="hook").exists()
        repository.commit(kit())
        run("marketplace_sync")
        assert rows.get().valid_to is None
        assert Component.objects.filter(kind="hook").count() == 1
        assert Component.objects.get(canonical_id="acme:cols").valid_to is not None

    def test_plugins_vanish_and_come_back(self, added: Marketplace, repository: Repository, run: Run):
        repository.commit(marketplace())
        assert "1 ended" in run("marketplace_sync")
        assert Plugin.objects.get().valid_to is not None
        assert not Component.objects.filter(valid_to=None, canonical_id__isnull=False).exists()
        before = snapshot()
        assert "nothing changed" in run("marketplace_sync")
        assert snapshot() == before
        repository.commit(kit())
        run("marketplace_sync")
        assert Plugin.objects.get().valid_to is None
        assert Component.objects.filter(valid_to=None).count() == 5

    def test_renames_are_followed(self, added: Marketplace, repository: Repository, run: Run):
        renames = {"acme-kit": "kit-2", "ancient": "acme-kit", "gone": None}
        files = marketplace(entry("kit-2"), renames=renames) | plugin("kit-2", name="acme2")
        repository.commit(files)
        assert "2 renamed" in run("marketplace_sync")
        newest = Plugin.objects.get(name="kit-2")
        former = Plugin.objects.filter(renamed_to=newest, valid_to__isnull=False)
        assert set(former.values_list("name", flat=True)) == {"acme-kit", "ancient"}
        before = snapshot()
        assert "nothing changed" in run("marketplace_sync")
        assert snapshot() == before
        repository.commit(kit())
        run("marketplace_sync")
        back = Plugin.objects.get(name="acme-kit")
        assert (back.valid_to, back.renamed_to) == (None, None)

    def test_a_changed_namespace_is_remembered(self, added: Marketplace, repository: Repository, run: Run):
        repository.commit(kit(name="acme2"))
        run("marketplace_sync")
        kept = Plugin.objects.get()
        assert (kept.namespace, list(kept.former_namespaces)) == ("acme2", ["acme"])


class TestFailures:
    @pytest.mark.parametrize(
        ("files", "message"),
        [
            ({"README.md": "x"}, "marketplace.json"),
            ({MARKETPLACE_JSON: "{broken"}, "marketplace.json"),
            ({MARKETPLACE_JSON: "[]"}, "marketplace.json"),
            ({MARKETPLACE_JSON: '{"plugins": []}'}, "name"),
            (
                {MARKETPLACE_JSON: "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"},
                "LFS|JSON",
            ),
        ],
    )
    def test_the_last_good_catalogue_stays(
        self, added: Marketplace, repository: Repository, run: Run, files: dict[str, str], message: str
    ):
        before = snapshot()
        repository.commit(files)
        with pytest.raises(CommandError, match="last good catalogue stays: kits"):
            run("marketplace_sync")
        assert snapshot() == before
        failed = Marketplace.objects.get()
        assert (failed.state, failed.commit, failed.name) == ("failed", added.commit, "acme-market")
        assert "marketplace.json" in failed.error
        assert failed.synced_at == added.synced_at
        assert failed.attempted_at != failed.synced_at
        repository.commit(kit())
        run("marketplace_sync")
        cured = Marketplace.objects.get()
        assert (cured.state, cured.error) == ("synced", "")

    def test_one_that_fails_does_not_hold_up_the_others(
        self, added: Marketplace, repository: Repository, run: Run, tmp_path
    ):
        run("marketplace_add", repository.url, "--slug", "aaa")
        Marketplace.objects.filter(slug="aaa").update(url=f"file://{tmp_path}/nothing")
        commit = repository.commit(kit(skills={"cols": ""}))
        with pytest.raises(CommandError, match="aaa"):
            run("marketplace_sync")
        assert Marketplace.objects.get(slug="kits").commit == commit

    def test_an_error_while_storing_leaves_nothing_half_done(
        self, added: Marketplace, repository: Repository, monkeypatch: pytest.MonkeyPatch
    ):
        before = snapshot()
        repository.commit(kit(skills={"cols": ""}))

        def fail(*args: Any) -> None:
            raise ZeroDivisionError("s3cret")

        monkeypatch.setattr("marketplace.catalogue.syncing.attribute_catalogue", fail)
        with pytest.raises(ZeroDivisionError):
            sync_marketplace(added)
        assert snapshot() == before
        failed = Marketplace.objects.get()
        assert (failed.state, failed.error) == ("failed", "ZeroDivisionError: see the server's log.")

    def test_a_token_that_is_not_set(self, added: Marketplace, run: Run):
        Marketplace.objects.update(url="https://127.0.0.1:1/x", token_env="AGNES_GIT_TOKEN_NONE")
        with pytest.raises(CommandError):
            run("marketplace_sync")
        assert "AGNES_GIT_TOKEN_NONE is not set" in Marketplace.objects.get().error

    def test_a_damaged_local_copy_is_fetched_anew(
        self, added: Marketplace, repository: Repository, run: Run, settings
    ):
        folder = settings.DATA_DIR / "marketplaces" / "kits.git"
        for pack in folder.glob("objects/pack/*.pack"):
            content = bytearray(pack.read_bytes())
            content[40:-20] = bytes(len(content) - 60)
            pack.chmod(0o600)
            pack.write_bytes(content)
        commit = repository.commit(kit(skills={"cols": ""}))
        run("marketplace_sync")
        assert Marketplace.objects.get().commit == commit


class TestTwoAtOnce:
    def test_the_second_is_told(self, added: Marketplace, run: Run):
        lease = Lease("marketplace_sync_leases", {"marketplace_id": added.pk})
        with held(lease):
            with pytest.raises(MarketplaceBusy, match="Another process is syncing kits"):
                sync_marketplace(added)
            assert Marketplace.objects.get().state == "synced"
        assert "nothing changed" in run("marketplace_sync")

    def test_who_lost_the_lease_stores_nothing(self, added: Marketplace, repository: Repository):
        before = snapshot()
        repository.commit(kit(skills={"cols": ""}))

        def take_over(stage: str) -> None:
            if stage == "storing":
                _expire_leases()
                assert Lease("marketplace_sync_leases", {"marketplace_id": added.pk}).take()

        with pytest.raises(MarketplaceBusy):
            sync_marketplace(added, on_stage=take_over)
        assert snapshot() == before

    def test_whose_sync_failed_after_it_was_removed_does_not_bring_it_back(
        self, added: Marketplace, repository: Repository, run: Run
    ):
        def remove(stage: str) -> None:
            _expire_leases()
            run("marketplace_remove", "kits")
            rmtree(repository.folder)

        with pytest.raises(MarketplaceBusy):
            sync_marketplace(Marketplace.objects.get(), on_stage=remove)
        assert Marketplace.objects.get().state == "removed"

    @pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer")
    def test_it_stores_nothing_while_the_flea_market_changes(
        self, added: Marketplace, repository: Repository
    ):
        """Else each could wait for a name that the other one gave."""
        files = marketplace(entry("acme-kit"), entry("cols")) | plugin("acme-kit") | plugin("cols")
        repository.commit(files)
        errors: list[Exception] = []

        def sync() -> None:
            try:
                sync_marketplace(Marketplace.objects.get())
            except Exception as error:
                errors.append(error)
            finally:
                connection.close()

        thread = threading.Thread(target=sync)
        with transaction.atomic():
            write_attribution_alone()
            thread.start()
            _wait_for_a_waiting_lock()
            ServedName.objects.create(plugin=_flea_plugin("cols"), name="cols")
        thread.join()
        assert errors == []
        assert ServedName.objects.get(plugin__ref_id="kits/cols").name == "cols-kits"

    def test_many_at_once_end_as_one_would(self, added: Marketplace, repository: Repository):
        commit = repository.commit(kit(skills={"cols": "", "rows": ""}))
        outcomes: list[str] = []

        def sync() -> None:
            try:
                sync_marketplace(Marketplace.objects.get())
                outcomes.append("synced")
            except MarketplaceBusy:
                outcomes.append("busy")
            finally:
                connection.close()

        threads = [threading.Thread(target=sync) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(outcomes) <= {"synced", "busy"}
        assert "synced" in outcomes
        assert Marketplace.objects.get().commit == commit
        assert Component.objects.filter(canonical_id="acme:cols").count() == 1


def _flea_plugin(name: str) -> Plugin:
    now = timezone.now()
    return Plugin.objects.create(
        source="flea", name=name, ref_id="7", namespace=name, source_kind="folder", digest="x",
        first_seen_at=now, updated_at=now,
    )  # fmt: skip


def _wait_for_a_waiting_lock() -> None:
    for _ in range(200):
        if fetch("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted", ()):
            return
        sleep(0.05)
    raise AssertionError("The sync did not come to the lock.")


def _expire_leases() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE marketplace_sync_leases SET expires_at = '2000-01-01 00:00:00+00'")


class TestAudit:
    def test_every_attempt_has_a_row(self, added: Marketplace, repository: Repository, run: Run):
        repository.commit({"x": "1"})
        with pytest.raises(CommandError):
            run("marketplace_sync")
        rows = AuditLog.objects.order_by("pk").values_list("action", "target", "result", "client_kind")
        assert list(rows) == [
            ("marketplace.add", "marketplace:kits", "ok", "command"),
            ("marketplace.sync", "marketplace:kits", "ok", "command"),
            ("marketplace.sync", "marketplace:kits", "failed", "command"),
        ]
        assert AuditLog.objects.filter(result="failed").get().params == {"code": NotAMarketplace.code}
