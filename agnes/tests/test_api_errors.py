"""Every failure under /api/ has the one shape, whatever part of the server noticed it."""

import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from django.test import Client
from django.urls import path
from ninja import Query, Router, Schema
from ninja.errors import HttpError

from accounts import audit
from accounts.api_auth import auth
from accounts.errors import AgnesError
from accounts.models import AuditLog, Scope, User
from agnes import urls
from agnes.api import AgnesAPI

router = Router()
PERMISSION = "accounts.view_auditlog"


class Thing(Schema):
    size: int


class Boom(AgnesError):
    status = 418
    code = "teapot"


FAILURES: dict[str, Exception] = {
    "agnes": Boom("I am a teapot.", "Ask a coffee machine.", {"drink": "tea"}),
    "missing": Http404("secret detail"),
    "forbidden": PermissionDenied("secret detail"),
    "http": HttpError(409, "Already there."),
    "too-large": RequestDataTooBig("secret detail"),
    "bug": ZeroDivisionError("secret detail"),
}


@router.get("/fail/{kind}", openapi_extra={"responses": {410: {}}})
def fail(request, kind: str):
    raise FAILURES[kind]


@router.post("/things")
def things(request, thing: Thing, limit: int = Query(10, le=200)):
    return {"size": thing.size}


@router.post("/upload", auth=auth(Scope.UPLOAD))
def upload(request):
    audit.record("test.upload")
    return {"user": request.user.email}


@router.post("/admin", auth=auth(Scope.ADMIN, PERMISSION))
def admin_only(request):
    return {"user": request.user.email}


test_api = AgnesAPI(title="Test", urls_namespace="test-api")
test_api.add_router("", router)
urlpatterns = [path("api/test/", test_api.urls), *urls.urlpatterns]
handler400, handler403, handler404, handler500 = (
    urls.handler400,
    urls.handler403,
    urls.handler404,
    urls.handler500,
)

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def error(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"].startswith("application/json")
    body = json.loads(response.content)
    assert list(body) == ["error"]
    assert {"code", "message", "hint"} <= set(body["error"]) <= {"code", "message", "hint", "fields"}
    assert body["error"]["message"]
    assert body["error"]["hint"]
    assert "secret detail" not in str(body)
    return dict(body["error"])


class TestErrorShape:
    @pytest.mark.parametrize(
        ("kind", "status", "code"),
        [
            ("agnes", 418, "teapot"),
            ("missing", 404, "not_found"),
            ("forbidden", 403, "not_allowed"),
            ("http", 409, "conflict"),
            ("too-large", 413, "too_large"),
        ],
    )
    def test_of_what_a_view_raises(self, client, kind, status, code):
        assert error(client.get(f"/api/test/fail/{kind}"), status)["code"] == code

    def test_an_agnes_error_says_the_cure_and_the_fields(self, client):
        body = error(client.get("/api/test/fail/agnes"), 418)
        assert body["hint"] == "Ask a coffee machine."
        assert body["fields"] == {"drink": "tea"}

    def test_a_bug_is_logged_and_found_by_its_request_id(self, client, caplog):
        body = error(client.get("/api/test/fail/bug", headers={"X-Request-ID": "call-7"}), 500)
        assert body["code"] == "internal"
        assert "call-7" in body["hint"]
        [record] = [record for record in caplog.records if record.name == "agnes.api_errors"]
        assert "call-7" in record.message
        assert record.exc_info is not None

    def test_wrong_input_names_the_fields(self, client):
        answer = client.post("/api/test/things?limit=201", {"size": "x"}, content_type="application/json")
        body = error(answer, 422)
        assert body["code"] == "invalid"
        assert set(body["fields"]) == {"limit", "size"}

    def test_a_body_that_is_no_json(self, client):
        answer = client.post("/api/test/things", b'{"size":', content_type="application/json")
        error(answer, 400)

    def test_a_wrong_method_says_the_right_one(self, client):
        answer = client.delete("/api/test/things")
        assert "POST" in error(answer, 405)["hint"]
        assert answer["Allow"] == "POST"

    @pytest.mark.parametrize("url", ["/api/nothing", "/api/", "/api/test/nothing/", "/api/%00", "/api/é"])
    def test_of_an_unknown_path(self, client, url):
        assert error(client.get(url), 404)["code"] == "not_found"
        error(client.post(url), 404)

    @pytest.mark.parametrize("debug", [False, True])
    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "NONSENSE"])
    @pytest.mark.parametrize(
        "url", ["/api", "/api/", "/api/nothing", "/api/upload/sessions/", "/api/docs/", "/api/openapi.json/"]
    )
    def test_of_an_unknown_path_by_any_method(self, bob: User, settings, debug, method, url):
        """A browser's session makes no difference: there is nothing whose form could be forged."""
        settings.DEBUG = debug
        client = Client(enforce_csrf_checks=True)
        error(client.generic(method, url), 404)
        client.force_login(bob)
        error(client.generic(method, url), 404)

    @pytest.mark.parametrize("url", ["/api/docs", "/api/openapi.json", "/api/upload/sessions"])
    def test_of_a_method_that_is_not_possible(self, url):
        answer = Client(enforce_csrf_checks=True).generic("DELETE", url)
        assert error(answer, 405)["hint"] == f"Use {answer['Allow']}."

    def test_a_refused_host(self, client):
        error(client.get("/api/test/things", headers={"Host": "evil.example"}), 400)

    def test_pages_keep_their_own_errors(self, client):
        answer = client.get("/nothing")
        assert answer.status_code == 404
        assert "There is nothing here" in answer.content.decode()


class TestAuthentication:
    def bearer(self, plain: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {plain}"}

    def test_nobody(self, client):
        assert error(client.post("/api/test/upload"), 401)["code"] == "not_authenticated"
        assert "Bearer" in error(Client(enforce_csrf_checks=True).post("/api/test/upload"), 401)["hint"]

    def test_a_token_with_the_scope_acts_as_its_person(self, client, bob: User, token_for):
        answer = client.post("/api/test/upload", headers=self.bearer(token_for(bob, Scope.UPLOAD)))
        assert answer.json() == {"user": "bob@example.com"}
        row = AuditLog.objects.get(action="test.upload")
        assert (row.actor, row.client_kind) == (bob.pk, "api")

    @pytest.mark.parametrize(
        "header", ["Bearer ", "Bearer agnes_x_y", "bearer é", "Basic Ym9iOmJvYg==", "Bearer"]
    )
    def test_a_wrong_header_is_401(self, client, header):
        error(client.post("/api/test/upload", headers={"Authorization": header}), 401)

    def test_a_wrong_token_is_401_even_with_a_session(self, client, bob: User):
        client.force_login(bob)
        error(client.post("/api/test/upload", headers=self.bearer("agnes_x_y")), 401)

    def test_another_scope_is_403(self, client, bob: User, token_for):
        every_other = [scope for scope in Scope if scope is not Scope.UPLOAD]
        answer = client.post("/api/test/upload", headers=self.bearer(token_for(bob, *every_other)))
        assert "upload" in error(answer, 403)["message"]

    def test_a_session_needs_the_csrf_token(self, bob: User):
        client = Client(enforce_csrf_checks=True)
        client.force_login(bob)
        assert "CSRF" in error(client.post("/api/test/upload"), 403)["message"]
        client.cookies["csrftoken"] = "a" * 32
        answer = client.post("/api/test/upload", headers={"X-CSRFToken": "a" * 32})
        assert answer.json() == {"user": "bob@example.com"}
        assert AuditLog.objects.get(action="test.upload").client_kind == "web"

    def test_a_locked_out_person_is_nobody(self, client, bob: User, token_for):
        plain = token_for(bob, Scope.UPLOAD)
        client.force_login(bob)
        User.objects.filter(pk=bob.pk).update(is_active=False)
        error(client.post("/api/test/upload"), 401)
        error(client.post("/api/test/upload", headers=self.bearer(plain)), 401)


class TestAdminOnly:
    def test_an_admin_by_session_and_by_token_with_scope_admin(self, client, alice: User, token_for):
        plain = token_for(alice, Scope.ADMIN)
        assert client.post("/api/test/admin", headers={"Authorization": f"Bearer {plain}"}).status_code == 200
        client.force_login(alice)
        assert client.post("/api/test/admin").status_code == 200

    def test_staff_with_the_permission(self, client, dana: User):
        from django.contrib.auth.models import Permission

        dana.user_permissions.add(Permission.objects.get(codename="view_auditlog"))
        client.force_login(dana)
        assert client.post("/api/test/admin").status_code == 200
        User.objects.filter(pk=dana.pk).update(is_staff=False)
        assert PERMISSION in error(client.post("/api/test/admin"), 403)["message"]

    def test_the_scope_alone_or_the_person_alone_is_not_enough(self, client, alice, bob, dana, token_for):
        others = [scope for scope in Scope if scope is not Scope.ADMIN]
        for plain in (token_for(alice, *others), token_for(bob, *Scope), token_for(dana, *Scope)):
            answer = client.post("/api/test/admin", headers={"Authorization": f"Bearer {plain}"})
            error(answer, 403)


class TestRequestId:
    def test_a_sane_one_is_echoed_and_audited(self, client, bob: User, token_for):
        headers = {
            "Authorization": f"Bearer {token_for(bob, Scope.UPLOAD)}",
            "X-Request-ID": "call-7",
            "User-Agent": "agnes-cli/1.0",
        }
        assert client.post("/api/test/upload", headers=headers)["X-Request-ID"] == "call-7"
        row = AuditLog.objects.get(action="test.upload")
        assert (row.request_id, row.client_kind) == ("call-7", "cli")

    @pytest.mark.parametrize("given", ["", "a b", "x" * 65, "é", "<script>"])
    def test_any_other_is_replaced(self, client, given):
        made = client.get("/api/docs", headers={"X-Request-ID": given})["X-Request-ID"]
        assert made != given
        assert len(made) == 16


class TestDocs:
    def test_the_page_lists_the_operations(self, client):
        page = client.get("/api/test/docs").content.decode()
        assert "POST /api/test/things" in page
        assert "limit" in page

    def test_machines_get_the_schema(self, client):
        assert "/api/test/upload" in client.get("/api/test/openapi.json").json()["paths"]
