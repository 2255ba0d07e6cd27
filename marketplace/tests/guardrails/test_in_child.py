"""The same inspection in a process with limits, which may die."""

import os

from marketplace.guardrails import KnownNames, Verdict, inspect_in_child, limits, pack
from marketplace.tests.guardrails.helpers import SKILL, codes, plugin, uploaded, zipped


def in_child(folder, files):
    return inspect_in_child(uploaded(folder, {"kit.zip": zipped(files)}), KnownNames(), folder / "pack.zip")


def test_it_says_the_same(look, tmp_path):
    files = plugin({"commands/a.md": "Go !`ls`.", "run.sh": "#!/bin/sh\n", "a.so": "x"})
    child, here = in_child(tmp_path, files), look(files)
    assert child == here
    assert {path: file.content for path, file in child.files.items()} == {
        path: file.content for path, file in here.files.items()
    }
    assert (tmp_path / "pack.zip").read_bytes() == pack(here.files)


def test_what_it_returns_outlives_the_upload(tmp_path):
    inspection = in_child(tmp_path, {"SKILL.md": SKILL})
    (tmp_path / "upload-0").unlink()
    assert inspection.files["skills/row-counter/SKILL.md"].content == SKILL.encode()


def test_a_rejection_has_its_findings_and_no_files(tmp_path):
    inspection = in_child(tmp_path, {"../x": "y"})
    assert (inspection.verdict, codes(inspection), inspection.files) == (Verdict.REJECT, {"path_outside"}, {})


def test_one_that_takes_too_long_is_rejected(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "CHILD_WALL_SECONDS", 0.1)
    monkeypatch.setattr("marketplace.guardrails.in_child._START", "import time; time.sleep(600)")
    inspection = in_child(tmp_path, {"SKILL.md": SKILL})
    assert (inspection.verdict, codes(inspection)) == (Verdict.REJECT, {"could_not_be_inspected"})


def test_an_upload_that_is_gone_is_rejected(tmp_path):
    files = uploaded(tmp_path, {"kit.zip": zipped({"SKILL.md": SKILL})})
    os.unlink(files[0].content)
    assert codes(inspect_in_child(files, KnownNames(), tmp_path / "pack.zip")) == {"could_not_be_inspected"}
