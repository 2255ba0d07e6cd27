"""agnes market"""

from pathlib import Path

import pytest

from accounts.models import Scope, User
from agnes.tests.cli.machines import Machine
from marketplace.models import Marketplace, Plugin, StackItem, StoreEntity
from marketplace.tests import planting
from marketplace.tests.store.conftest import SECRET, TIDY, zipped

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kits(db: None) -> Marketplace:
    """`tidy`, which is used, and `rows`; a second marketplace has a `rows` of its own."""
    kits = Marketplace.objects.create(slug="kits", url="file:///nowhere/kits")
    more = Marketplace.objects.create(slug="more", url="file:///nowhere/more")
    planting.plant_plugin(kits, "tidy", description="Tidies up.", skill=["sweep"])
    planting.plant_plugin(kits, "rows", description="Counts rows.")
    planting.plant_plugin(more, "rows", description="Other rows.")
    planting.use("kits/tidy", 12, people=3)
    return kits


@pytest.mark.usefixtures("kits")
class TestLooking:
    def test_the_most_used_come_first(self, laptop: Machine):
        listed = laptop.json("market", "list")
        assert listed["items"][0]["ref_id"] == "kits/tidy"
        assert listed["total"] == 3
        header, first, *_ = laptop.ok("market", "list").splitlines()
        assert header.split("\t")[:4] == ["Name", "Source", "Id", "Calls"]
        assert first.split("\t")[:5] == ["tidy", "curated", "kits/tidy", "12", "3"]

    def test_words_and_filters_choose(self, laptop: Machine):
        assert [it["ref_id"] for it in laptop.json("market", "list", "tidies")["items"]] == ["kits/tidy"]
        assert laptop.json("market", "list", "--source", "flea")["items"] == []
        done = laptop.run("market", "list", "--limit", "1")
        assert "2 more: --offset 1." in done.stderr
        assert laptop.run("market", "list", "--sort", "nonsense").returncode == 6

    def test_an_item_is_shown_with_its_parts(self, laptop: Machine):
        details = laptop.json("market", "show", "tidy")
        assert [it["identifier"] for it in details["components"]] == ["tidy:sweep"]
        assert "12 calls by 3 people" in laptop.ok("market", "show", "curated:kits/tidy")

    def test_a_name_that_several_have_is_asked_back(self, laptop: Machine):
        done = laptop.run("market", "show", "rows")
        assert done.returncode == 2
        assert "curated:kits/rows" in done.stderr
        assert "curated:more/rows" in done.stderr
        assert laptop.json("market", "show", "more/rows")["ref_id"] == "more/rows"
        assert laptop.run("market", "show", "nothing").returncode == 7


@pytest.mark.usefixtures("kits")
class TestStack:
    def test_into_the_stack_and_out_of_it(self, laptop: Machine, bob: User, monkeypatch):
        # Its files are nowhere, which building it would find out.
        monkeypatch.setattr("marketplace.serving.stack._left_out_when_built", lambda view: {})
        told = laptop.json("market", "install", "tidy")
        assert (told["item"]["name"], told["installed"]) == ("tidy", False)
        assert told["lines"][1] == "claude plugin install tidy@agnes"
        assert "claude plugin marketplace add" in laptop.ok("market", "install", "tidy")
        assert StackItem.objects.get().user == bob
        assert [it["ref_id"] for it in laptop.json("market", "list", "--stack")["items"]] == ["kits/tidy"]
        assert "no longer in your stack" in laptop.ok("market", "remove", "tidy")
        assert not StackItem.objects.exists()
        assert laptop.run("market", "remove", "tidy").returncode == 7

    def test_what_has_the_namespace_of_another_is_refused(self, laptop: Machine, monkeypatch):
        monkeypatch.setattr("marketplace.serving.stack._left_out_when_built", lambda view: {})
        Plugin.objects.filter(ref_id="more/rows").update(namespace="rows")
        laptop.ok("market", "install", "kits/rows")
        done = laptop.run("market", "install", "more/rows")
        assert (done.returncode, StackItem.objects.count()) == (6, 1)


class TestUpload:
    def test_a_file_a_folder_or_a_zip(self, laptop: Machine, bob: User):
        files = {"tidy.md": TIDY.encode(), "kit.zip": zipped({"SKILL.md": TIDY.replace("tidy", "broom")})}
        for name, content in files.items():
            (laptop.workspace / name).write_bytes(content)
        folder = laptop.workspace / "mop"
        (folder / "reference").mkdir(parents=True)
        (folder / "SKILL.md").write_text(TIDY.replace("tidy", "mop"))
        (folder / "reference/more.md").write_text("More.\n")
        (folder / ".git").mkdir()
        (folder / ".git/config").write_text("x")
        assert "published" in laptop.ok("market", "upload", "tidy.md", "--kind", "skill")
        assert laptop.json("market", "upload", "kit.zip")["verdict"] == "published"
        laptop.ok("market", "upload", "mop", "--description", "Mops up.")
        uploaded = StoreEntity.objects.filter(owner=bob)
        assert set(uploaded.values_list("slug", flat=True)) == {"tidy", "broom", "mop"}
        assert uploaded.get(slug="mop").description == "Mops up."

    def test_what_is_held_says_why(self, laptop: Machine):
        path = laptop.workspace / "tidy.md"
        path.write_text(TIDY + SECRET)
        done = laptop.run("market", "upload", str(path), "--kind", "skill")
        assert done.returncode == 0
        assert "held until an admin" in done.stdout
        assert done.stderr.startswith("hold  ")

    def test_what_is_rejected_says_what_to_change(self, laptop: Machine):
        path = laptop.workspace / "bad.zip"
        path.write_bytes(zipped({"../evil.sh": "x"}))
        done = laptop.run("market", "upload", str(path))
        assert done.returncode == 6
        assert "evil.sh" in done.stderr
        told = laptop.run("market", "upload", str(path), "--json")
        assert '"code": "upload_rejected"' in told.stdout

    def test_what_is_not_there(self, laptop: Machine):
        assert laptop.run("market", "upload", "nothing.md").returncode == 7

    def test_a_token_without_the_scope(self, logged_in, bob: User, tmp_path: Path):
        laptop = logged_in(bob, Scope.MARKETPLACE)
        (laptop.workspace / "tidy.md").write_text(TIDY)
        assert laptop.run("market", "upload", "tidy.md").returncode == 4
