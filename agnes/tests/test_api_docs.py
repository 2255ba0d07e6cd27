"""The API describes every operation in full: who may call it, what it answers, how to call it."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils.html import strip_tags

from accounts.models import Scope, User
from agnes.api import api
from agnes.tests import test_api_errors
from agnes.tests.routes import TRANSCRIPT
from agnes.tests.test_api_errors import test_api
from telemetry import errors

UPLOAD = "/api/upload/sessions"
# They are how one comes by a token.
WITHOUT_TOKEN = {"Redeem a code of /connect/"}
RUN = "/api/admin/run-session-processor"


def schema() -> dict[str, Any]:
    return dict(json.loads(Client().get("/api/openapi.json").content))


def operations() -> Iterator[Any]:
    for path, methods in api.get_openapi_schema(path_prefix="/api/")["paths"].items():
        for method, details in methods.items():
            yield pytest.param(json.loads(json.dumps(details)), id=f"{method} {path}")


def resolve(described: dict[str, Any], reference: str) -> Any:
    for name in reference.removeprefix("#/").split("/"):
        described = described[name]
    return described


@pytest.mark.parametrize("operation", list(operations()))
class TestEveryOperation:
    def test_its_errors_have_the_one_shape(self, operation: dict[str, Any]):
        answers = {int(status): answer for status, answer in operation["responses"].items()}
        failures = {status: answer for status, answer in answers.items() if status >= 400}
        assert failures
        assert min(answers) in range(200, 300)
        for status, answer in failures.items():
            assert answer["description"].endswith((".", "why.")), status
            reference = answer["content"]["application/json"]["schema"]["$ref"]
            assert "error" in resolve(schema(), reference)["properties"]

    def test_it_says_who_may_call_it(self, operation: dict[str, Any]):
        if operation["summary"] in WITHOUT_TOKEN:
            assert not operation.get("security")
            return
        assert {"401", "403"} <= set(operation["responses"])
        choices = [scheme["TokenAuth"] for scheme in operation["security"] if "TokenAuth" in scheme]
        assert all(choices)
        assert {scope for scopes in choices for scope in scopes} <= set(Scope.values)
        described = " or ".join(" and ".join(scopes) for scopes in choices)
        assert f"with the scope {described}" in operation["description"]
        assert operation.get("x-permission", "") in operation["description"]

    def test_it_may_be_busy(self, operation: dict[str, Any]):
        """SQLite's lock, which anybody may have to wait for."""
        assert "503" in operation["responses"]

    def test_it_has_an_example(self, operation: dict[str, Any]):
        [example] = operation["x-codeSamples"]
        assert example["source"].startswith("curl")


class TestTheSchema:
    def operation(self, path: str) -> dict[str, Any]:
        return dict(schema()["paths"][path]["post"])

    def test_an_export_may_find_the_server_busy(self):
        assert "503" in schema()["paths"]["/api/admin/usage/export"]["get"]["responses"]

    def test_an_upload_answers_all_that_intake_can_raise(self):
        raised = (
            errors.TranscriptRefused,
            errors.SessionFileTaken,
            errors.UploadTooLarge,
            errors.UploadCorrupt,
            errors.EncodingUnsupported,
            errors.UploadBusy,
            errors.StoredFileLost,
        )
        assert {str(error.status) for error in raised} <= set(self.operation(UPLOAD)["responses"])

    def test_an_admins_operation_names_the_permission(self):
        run = self.operation(RUN)
        assert run["x-permission"] == "telemetry.manage_processing"
        assert {"TokenAuth": ["admin"]} in run["security"]
        assert set(run["responses"]) == {"200", "401", "403", "422", "503", "507"}

    def test_an_error_as_answered_fits_its_schema(self, client: Client):
        described = schema()["components"]["schemas"]["Error"]["properties"]["error"]
        answered = client.post(UPLOAD).json()["error"]
        assert set(described["required"]) <= set(answered) <= set(described["properties"])

    @pytest.mark.urls(test_api_errors.__name__)
    def test_what_follows_from_the_input(self):
        paths = test_api.get_openapi_schema(path_prefix="/")["paths"]
        answers = {path: set(next(iter(methods.values()))["responses"]) for path, methods in paths.items()}
        assert answers["/fail/{kind}"] == {200, 404, 410, 422, 503, 507}
        assert answers["/things"] == {200, 400, 413, 422, 503, 507}
        assert answers["/upload"] == {200, 401, 403, 503, 507}

    @pytest.mark.urls(test_api_errors.__name__)
    def test_an_operation_names_a_further_error_by_its_status_alone(self):
        fail = test_api.get_openapi_schema(path_prefix="/")["paths"]["/fail/{kind}"]["get"]
        assert fail["responses"][410]["description"] == "It was there, and is gone for good."
        assert "content" in fail["responses"][410]


class TestThePage:
    def text(self) -> str:
        return unescape(strip_tags(Client().get("/api/docs").content.decode()))

    def test_it_shows_answers_needs_and_an_example(self):
        text = self.text()
        assert "Retry-After when to send it again." in text
        assert "of staff with the permission telemetry.manage_processing" in text
        assert "--data-binary @session.jsonl" in text

    def test_it_shows_no_markdown(self):
        text = self.text()
        assert "`" not in text
        assert "**" not in text
        assert "<code>name</code>" in Client().get("/api/docs").content.decode()

    def test_a_paragraph_is_not_broken_as_the_source_is(self):
        assert "<br" not in Client().get("/api/docs").content.decode()


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
@pytest.mark.django_db(transaction=True)
def test_the_example_of_an_upload_works(live_server, settings, bob: User, token_for, tmp_path):
    settings.AGNES_URL = live_server.url
    example = schema()["paths"][UPLOAD]["post"]["x-codeSamples"][0]["source"]
    (tmp_path / "session.jsonl").write_bytes(TRANSCRIPT)
    done = subprocess.run(
        ["bash", "-c", re.sub(r"^curl", "curl --silent --noproxy '*'", example)],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "AGNES_TOKEN": token_for(bob, Scope.UPLOAD)},
        capture_output=True,
        text=True,
    )
    assert json.loads(done.stdout)["status"] == "new", done
