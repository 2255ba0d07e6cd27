"""Uploads that are made to be expensive stay within what an inspection may take."""

import tempfile

import pytest

from marketplace.guardrails import KnownNames, Verdict, limits
from marketplace.guardrails.in_child import ask_child
from marketplace.tests.guardrails.heavy_uploads import HEAVY_UPLOADS, front_matters
from marketplace.tests.guardrails.helpers import SKILL, codes, plugin, uploaded, zipped

MB = 1_000_000
# A quarter of it on a quiet machine; what other processes do to the caches counts here, too.
CPU_SECONDS = 10


@pytest.mark.slow
@pytest.mark.parametrize("name", HEAVY_UPLOADS)
def test_no_upload_takes_more_than_100_mb(tmp_path, name):
    uploads = uploaded(tmp_path, {"kit.zip": zipped(HEAVY_UPLOADS[name]())})
    with tempfile.TemporaryFile() as target:
        answer = ask_child(uploads, KnownNames(), target)
    assert answer.usage.peak_bytes < 100 * MB
    assert answer.usage.cpu_seconds < CPU_SECONDS
    assert not {finding.code for finding in answer.findings} & {"bomb", "too_large", "could_not_be_checked"}


def test_more_text_than_is_looked_through_is_held(look, monkeypatch):
    monkeypatch.setattr(limits, "TEXT_CHARACTERS", 1000)
    files = {"SKILL.md": SKILL, "a.txt": "x" * 900, "b.txt": "x"}
    inspection = look(files)
    assert inspection.verdict is Verdict.HOLD
    [finding] = inspection.findings
    assert (finding.code, finding.path) == ("too_much_text", "skills/row-counter/a.txt")
    assert codes(look(files | {"a.txt": "x" * 900 + "\U000e0041"})) == {"tag_characters"}


def test_looking_for_phrases_ends(look, monkeypatch):
    monkeypatch.setattr(limits, "PHRASES_CPU_SECONDS", 0)
    assert codes(look({"SKILL.md": SKILL}), "hold") == {"too_much_text"}


def test_more_front_matter_than_is_read_is_rejected(look):
    inspection = look(front_matters(6_000))
    assert codes(inspection) == {"front_matter_too_long"}


def test_more_configuration_than_is_read_is_held(look, monkeypatch):
    monkeypatch.setattr(limits, "ALL_CONFIGURATION_BYTES", 1000)
    hooks = {"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "x " * 200}]}]}}
    paths = [f"./h/{number}.json" for number in range(3)]
    inspection = look(plugin({path[2:]: hooks for path in paths}, hooks=paths))
    assert "cannot_be_read" in codes(inspection, "hold")
