"""The page of one plugin, as a browser asks for it; the catalogue is read from real repositories."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from marketplace.tests.pages.test_list import shown, text_of
from marketplace.tests.planting import use, use_component, use_on
from marketplace.tests.repositories import Repository, entry, kit, marketplace, plugin

pytestmark = pytest.mark.django_db
KIT = "/marketplace/curated/kits/acme-kit/"


@pytest.fixture
def browser(client: Client, bob: User, published: Any) -> Client:
    client.force_login(bob)
    return client


def synced(run: Any, repository: Repository, files: dict[str, str], slug: str = "kits") -> None:
    repository.commit(files)
    run("marketplace_add", repository.url, f"--slug={slug}")
    run("marketplace_sync", slug)


class TestAKit:
    @pytest.fixture(autouse=True)
    def kit(self, run: Any, repository: Repository) -> None:
        synced(run, repository, kit())

    def test_it_shows_what_it_is_and_how_to_install_it(self, browser: Client, repository: Repository):
        text = text_of(shown(browser, KIT))
        for words in (
            "1.2.0",
            "Curated",
            "by Acme",
            "updated just now",
            f"claude plugin marketplace add {repository.folder}",
            "claude plugin install acme-kit@acme-market",
            "Counts rows.",
            "Versions seen 1.2.0",
        ):
            assert words in text, words

    def test_it_shows_each_part_with_its_identifier_and_use(self, browser: Client):
        use_component(0, "kits/acme-kit", "skill", "acme:rows", 40, errors=3)
        use_component(50, "kits/acme-kit", "agent", "acme:auditor", 7)
        page = shown(browser, KIT)
        text = text_of(page)
        assert "acme:rows Copy acme:rows Does rows. 40 3" in text
        assert page.count('<svg class="sparkline"') == 1
        assert "40 invocations in 30 days, on 1 day; at most 40 a day, today so far 40." in page
        assert "acme:auditor Copy acme:auditor A. last on " in text
        assert "acme:io:export Copy acme:io:export Run io/export. not used yet" in text
        assert "plugin:acme:my.db" in text

    def test_it_shows_what_it_runs(self, browser: Client):
        text = text_of(shown(browser, KIT))
        assert "hook at Stop ./stop.sh" in text
        assert "MCP server named my.db db --all" in text

    def test_its_numbers_stand_as_figures_chart_and_table(self, browser: Client):
        use("kits/acme-kit", 30, people=4, previous=20)
        use_on(29, "kits/acme-kit", 7, people=2, errors=1)
        page = shown(browser, KIT)
        text = text_of(page)
        assert "Invocations 30 People 4 Errors 1" in text
        assert "+50.0 %" in text
        assert "37 invocations in 30 days, on 2 days; at most 30 a day, today so far 30." in page
        assert ": 7 invocations, 1 error, 2 people</title>" in page
        assert page.count('<g class="today"') == 1
        assert page.count('<tr><th scope="row">20') == 30
        assert "as of" in text

    def test_without_use_it_says_so(self, browser: Client):
        page = shown(browser, KIT)
        assert "Not used yet." in page
        assert "<svg" not in page
        use_on(45, "kits/acme-kit", 7)
        assert "Not used in the last 30 days; last on" in shown(browser, KIT)

    def test_a_shared_namespace_is_told(self, browser: Client, run: Any, tmp_path: Any):
        other = Repository(tmp_path / "other")
        files = marketplace(entry("twin"), name="other") | plugin("twin", name="acme", skills={"x": "x"})
        synced(run, other, files, "other")
        page = shown(browser, KIT)
        assert "Its namespace acme is shared with other/twin" in text_of(page)
        assert 'href="/marketplace/curated/other/twin/"' in page

    def test_what_left_the_marketplace_leads_to_its_new_name(
        self, browser: Client, run: Any, repository: Repository
    ):
        moved = marketplace(entry("new-kit"), renames={"acme-kit": "new-kit"}) | plugin("new-kit")
        repository.commit(moved)
        run("marketplace_sync", "kits")
        page = shown(browser, KIT)
        assert "It is now new-kit" in text_of(page)
        assert "claude plugin install" not in page


class TestOtherPlugins:
    def test_one_that_does_not_load_says_why(self, browser: Client, run: Any, repository: Repository):
        broken = plugin("broken", manifest={"commands": "../x"})
        synced(run, repository, marketplace(entry("broken")) | broken)
        page = shown(browser, "/marketplace/curated/kits/broken/")
        assert "Does not load: " in text_of(page)
        assert "Not known: Claude Code refuses the plugin." in text_of(page)
        assert "Nothing by itself" not in page
        assert "claude plugin install" not in page

    def test_one_that_is_hosted_elsewhere(self, browser: Client, run: Any, repository: Repository):
        synced(run, repository, marketplace(entry("far", {"source": "github", "repo": "acme/far"})))
        text = text_of(shown(browser, "/marketplace/curated/kits/far/"))
        assert "Hosted elsewhere" in text
        assert "Not known: the plugin is hosted elsewhere." in text
        assert "Runs on your machine" not in text

    def test_hooks_of_a_skill_run_too(self, browser: Client, run: Any, repository: Repository):
        hooks = "hooks: {PreToolUse: [{matcher: Bash, hooks: [{type: command, command: ./look.sh}]}]}"
        skill = {"kit/skills/rows/SKILL.md": f"---\nname: rows\n{hooks}\n---\nCount.\n"}
        synced(run, repository, marketplace(entry("kit")) | plugin("kit") | skill)
        text = text_of(shown(browser, "/marketplace/curated/kits/kit/"))
        assert "hook at PreToolUse of Bash, once kit:rows was called ./look.sh" in text

    def test_one_whose_installation_runs_a_command_warns(
        self, browser: Client, run: Any, repository: Repository
    ):
        source = {"source": "command", "command": "make install"}
        synced(run, repository, marketplace(entry("far", source)))
        text = text_of(shown(browser, "/marketplace/curated/kits/far/"))
        assert "Installing it runs a command on your machine: make install" in text

    def test_the_number_of_queries_does_not_depend_on_the_number_of_parts(self, browser: Client, plant: Any):
        taken = []
        for name, skills in (("few", 2), ("many", 200)):
            plant(f"kits/{name}", skill=[f"s{number}" for number in range(skills)])
            for number in range(skills):
                use_component(number % 30, f"kits/{name}", "skill", f"{name}:s{number}", 1)
            with CaptureQueriesContext(connection) as queries:
                page = shown(browser, f"/marketplace/curated/kits/{name}/")
            assert page.count('<svg class="sparkline"') == skills
            taken.append(len(queries))
        assert taken[0] == taken[1]

    def test_one_that_runs_nothing_says_so(self, browser: Client, plant: Any):
        plant("kits/tidy", skill=["sweep"])
        assert "Nothing by itself" in shown(browser, "/marketplace/curated/kits/tidy/")

    @pytest.mark.parametrize("name", ["two words", "ünï", "a&b?c#d", "100%"])
    def test_names_of_all_kinds_have_a_page(self, browser: Client, plant: Any, name: str):
        plant(f"kits/{name}")
        page = shown(browser)
        address = page.split('<h3><a href="')[1].split('"')[0]
        assert browser.get(address.replace("&amp;", "&")).status_code == 200

    @pytest.mark.parametrize("name", ["a\nb", "."])
    def test_a_name_without_a_page_takes_no_page_down(
        self, browser: Client, run: Any, repository: Repository, name: str
    ):
        repository.commit(marketplace(entry(name, "./good"), entry("good")) | plugin("good"))
        run("marketplace_add", repository.url)
        assert '<h3><a href="/marketplace/curated/kits/good/"' in shown(browser)

    @pytest.mark.parametrize("ref_id", ["kits/nothing", "nothing", "a%00b", "kits/tidy/more"])
    def test_what_is_not_there_is_not_found(self, browser: Client, plant: Any, ref_id: str):
        plant("kits/tidy")
        for source in ("curated", "flea", "builtin"):
            assert browser.get(f"/marketplace/{source}/{ref_id}/").status_code == 404

    def test_links_of_strangers_lead_to_the_web_only(self, browser: Client, plant: Any):
        plant("kits/tidy", homepage="javascript:alert(1)", repository="https://example.com/r")
        page = shown(browser, "/marketplace/curated/kits/tidy/")
        assert "javascript:" not in page
        assert 'href="https://example.com/r"' in page
