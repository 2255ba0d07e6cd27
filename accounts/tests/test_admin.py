import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import audit, tokens
from accounts.admin_base import UncountedPaginator
from accounts.models import AccessToken, AuditLog, Scope, User
from conftest import PASSWORD

pytestmark = pytest.mark.django_db

NEW_PASSWORD = {
    "usable_password": "true",
    "password1": "another-pass-phrase",
    "password2": "another-pass-phrase",
    "set-password": "Set password",
}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def may(user: User, *codenames: str) -> User:
    user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return user


class TestSigningIn:
    def test_it_is_audited(self, alice: User, client):
        form = {"username": "Alice@example.com", "password": "correct horse battery staple"}
        assert client.post("/admin/login/?next=/admin/", form).status_code == 302
        assert client.post("/admin/logout/").status_code == 200
        rows = AuditLog.objects.order_by("pk").values_list(
            "action", "actor", "target", "result", "client_kind"
        )
        target = f"user:{alice.pk}"
        assert list(rows) == [
            ("auth.login", alice.pk, target, "ok", "web"),
            ("auth.logout", alice.pk, target, "ok", "web"),
        ]

    def test_a_failure_is_audited_without_what_was_typed(self, alice: User, client):
        client.post("/admin/login/", {"username": "alice@example.com", "password": "my secret"})
        client.post("/admin/login/", {"username": "my secret", "password": "alice@example.com"})
        known, unknown = AuditLog.objects.order_by("pk")
        assert (known.result, known.target, known.actor) == ("refused", f"user:{alice.pk}", None)
        assert (unknown.result, unknown.target) == ("refused", "")
        assert "secret" not in str(AuditLog.objects.values())

    def test_nul_bytes_are_refused(self, client):
        answer = client.post("/admin/login/", {"username": "a\x00@example.com", "password": "x"})
        assert answer.status_code == 200

    def test_people_who_are_not_staff_stay_outside(self, bob: User):
        assert signed_in(bob).get("/admin/").status_code == 302

    @pytest.mark.parametrize("there", ["", "?next=/admin/", "?next=/admin/accounts/user/"])
    def test_they_are_led_to_the_pages_for_everybody(self, client: Client, bob: User, there: str):
        form = {"username": bob.email, "password": PASSWORD}
        answer = client.post(f"/admin/login/{there}", form, follow=True)
        assert [url for url, _ in answer.redirect_chain] == ["/", "/marketplace/"]
        assert answer.status_code == 200

    def test_staff_are_led_to_where_they_wanted(self, client: Client, dana: User):
        form = {"username": dana.email, "password": PASSWORD}
        for there, url in (("", "/admin/"), ("?next=/marketplace/", "/marketplace/")):
            assert client.post(f"/admin/login/{there}", form)["Location"] == url


class TestPeople:
    def test_an_admin_adds_a_person_who_can_sign_in(self, alice: User):
        form = {
            "email": "Erin@example.com",
            "name": "Erin",
            "usable_password": "true",
            "password1": "a-long-pass-phrase",
            "password2": "a-long-pass-phrase",
        }
        assert signed_in(alice).post("/admin/accounts/user/add/", form).status_code == 302
        assert Client().login(username="erin@example.com", password="a-long-pass-phrase")
        row = AuditLog.objects.get(action="user.create", actor=alice.pk)
        assert "erin" not in str(row.params).lower()

    def test_a_second_person_with_the_same_email_is_refused_in_words(self, alice: User, bob: User):
        form = {"email": "BOB@example.com", "usable_password": "false"}
        answer = signed_in(alice).post("/admin/accounts/user/add/", form)
        assert "already exists" in answer.content.decode()

    def test_a_change_is_audited_by_field_names(self, alice: User, bob: User):
        form = {"email": "bob@example.com", "name": "Robert", "time_zone": "Europe/Berlin", "is_active": "on"}
        assert signed_in(alice).post(f"/admin/accounts/user/{bob.pk}/change/", form).status_code == 302
        row = AuditLog.objects.get(action="user.change")
        assert row.target == f"user:{bob.pk}"
        assert "Robert" not in str(row.params)
        assert row.params == {"fields": ["name", "time_zone"]}
        bob.refresh_from_db()
        assert (bob.name, bob.time_zone) == ("Robert", "Europe/Berlin")

    def test_rights_are_audited_as_they_were_given_and_taken(self, alice: User, bob: User):
        old, new = Group.objects.create(name="old@example.com"), Group.objects.create(name="new")
        bob.groups.add(old)
        may(bob, "view_user")
        form = {
            "email": "bob@example.com",
            "name": bob.name,
            "time_zone": "UTC",
            "is_staff": "on",
            "groups": [new.pk],
            "user_permissions": [Permission.objects.get(codename="view_auditlog").pk],
        }
        assert signed_in(alice).post(f"/admin/accounts/user/{bob.pk}/change/", form).status_code == 302
        assert AuditLog.objects.get(action="user.change").params == {
            "fields": ["groups", "is_active", "is_staff", "user_permissions"],
            "is_active": False,
            "is_staff": True,
            "groups_added": [f"group:{new.pk}"],
            "groups_removed": [f"group:{old.pk}"],
            "user_permissions_added": ["accounts.view_auditlog"],
            "user_permissions_removed": ["accounts.view_user"],
        }

    def test_a_groups_rights_are_audited(self, alice: User):
        first, second = Permission.objects.filter(codename__in=["view_auditlog", "view_user"])
        client = signed_in(alice)
        client.post(
            f"/admin/auth/group/add/?permissions={second.pk}", {"name": "team", "permissions": [first.pk]}
        )
        group = Group.objects.get()
        client.post(f"/admin/auth/group/{group.pk}/change/", {"name": "team", "permissions": [second.pk]})
        rows = AuditLog.objects.filter(target=f"group:{group.pk}").order_by("pk")
        assert list(rows.values_list("action", "params")) == [
            (
                "group.create",
                {"fields": ["name", "permissions"], "permissions_added": [f"accounts.{first.codename}"]},
            ),
            (
                "group.change",
                {
                    "fields": ["permissions"],
                    "permissions_added": [f"accounts.{second.codename}"],
                    "permissions_removed": [f"accounts.{first.codename}"],
                },
            ),
        ]

    def test_the_list_filters_and_searches(self, alice: User, bob: User, dana: User):
        User.objects.filter(pk=bob.pk).update(is_active=False)
        client = signed_in(alice)
        for query, found in (
            ("?is_staff__exact=1", "dana"),
            ("?is_active__exact=0", "bob"),
            ("?q=bo", "bob"),
        ):
            page = client.get(f"/admin/accounts/user/{query}").content.decode()
            assert f"{found}@example.com" in page
            assert page.count('class="field-name"') == (2 if found == "dana" else 1)

    def test_nobody_is_deleted(self, alice: User, bob: User):
        client = signed_in(alice)
        assert client.post(f"/admin/accounts/user/{bob.pk}/delete/", {"post": "yes"}).status_code == 403
        action = {"action": "delete_selected", "_selected_action": [bob.pk], "post": "yes"}
        client.post("/admin/accounts/user/", action)
        assert User.objects.filter(pk=bob.pk).exists()

    def test_staff_cannot_give_themselves_rights(self, dana: User):
        client = signed_in(may(dana, "change_user", "view_user"))
        form = {
            "email": "dana@example.com",
            "name": "Dana",
            "time_zone": "UTC",
            "is_active": "on",
            "is_superuser": "on",
            "user_permissions": [Permission.objects.get(codename="view_auditlog").pk],
        }
        assert client.post(f"/admin/accounts/user/{dana.pk}/change/", form).status_code == 302
        dana.refresh_from_db()
        assert not dana.is_superuser
        assert dana.user_permissions.count() == 2

    def test_staff_cannot_touch_a_superuser(self, alice: User, dana: User):
        client = signed_in(may(dana, "change_user", "view_user"))
        assert client.get(f"/admin/accounts/user/{alice.pk}/password/").status_code == 403
        form = {"email": "mine@example.com", "time_zone": "UTC"}
        assert client.post(f"/admin/accounts/user/{alice.pk}/change/", form).status_code == 403

    def test_staff_cannot_touch_other_staff(self, dana: User):
        erin = User.objects.create_user("erin@example.com", "a-long-pass-phrase", is_staff=True)
        client = signed_in(may(dana, "change_user", "view_user"))
        assert client.get(f"/admin/accounts/user/{erin.pk}/password/").status_code == 403
        assert client.post(f"/admin/accounts/user/{erin.pk}/password/", NEW_PASSWORD).status_code == 403
        form = {"email": "mine@example.com", "time_zone": "UTC"}
        assert client.post(f"/admin/accounts/user/{erin.pk}/change/", form).status_code == 403
        assert Client().login(username="erin@example.com", password="a-long-pass-phrase")

    def test_staff_looks_after_people_and_themselves(self, bob: User, dana: User):
        client = signed_in(may(dana, "change_user", "view_user"))
        for person in (bob, dana):
            url = f"/admin/accounts/user/{person.pk}"
            form = {"email": person.email, "name": "New", "time_zone": "UTC", "is_active": "on"}
            assert client.post(f"{url}/change/", form).status_code == 302
            assert client.post(f"{url}/password/", NEW_PASSWORD).status_code == 302
            person.refresh_from_db()
            assert person.name == "New"
            assert person.check_password(NEW_PASSWORD["password1"])

    def test_staff_cannot_give_rights_through_a_group(self, dana: User):
        group = Group.objects.create(name="team")
        client = signed_in(may(dana, "change_group", "view_group"))
        form = {"name": "team", "permissions": [Permission.objects.get(codename="view_auditlog").pk]}
        assert client.post(f"/admin/auth/group/{group.pk}/change/", form).status_code == 403


class TestPasswords:
    def rows(self) -> list[tuple[int | None, str, str]]:
        rows = AuditLog.objects.filter(action="auth.password_change")
        return list(rows.values_list("actor", "target", "client_kind"))

    def test_changing_ones_own_is_audited(self, dana: User):
        form = {
            "old_password": "correct horse battery staple",
            "new_password1": "another-pass-phrase",
            "new_password2": "another-pass-phrase",
        }
        client = signed_in(dana)
        assert client.post("/admin/password_change/", {**form, "old_password": "wrong"}).status_code == 200
        assert self.rows() == []
        assert client.post("/admin/password_change/", form).status_code == 302
        assert self.rows() == [(dana.pk, f"user:{dana.pk}", "web")]

    def test_setting_somebody_elses_is_audited(self, alice: User, bob: User):
        url = f"/admin/accounts/user/{bob.pk}/password/"
        client = signed_in(alice)
        assert client.post(url, {**NEW_PASSWORD, "password2": "a slip"}).status_code == 200
        assert self.rows() == []
        assert client.post(url, NEW_PASSWORD).status_code == 302
        assert self.rows() == [(alice.pk, f"user:{bob.pk}", "web")]
        assert "pass-phrase" not in str(AuditLog.objects.values())

    def test_taking_it_away_is_audited(self, alice: User, bob: User):
        form = {"usable_password": "false", "unset-password": "Disable"}
        assert signed_in(alice).post(f"/admin/accounts/user/{bob.pk}/password/", form).status_code == 302
        bob.refresh_from_db()
        assert not bob.has_usable_password()
        assert self.rows() == [(alice.pk, f"user:{bob.pk}", "web")]


class TestTokens:
    FORM = {"name": "laptop", "scopes": ["upload"], "days": "30"}

    ADD = "/admin/accounts/accesstoken/add/"
    PLAIN = re.compile(r"agnes_[a-z0-9]{12}_[A-Za-z0-9]{40}")

    def test_the_secret_is_shown_once_and_works(self, alice: User, bob: User):
        client = signed_in(alice)
        made = client.post(self.ADD, {**self.FORM, "user": bob.pk})
        assert made.status_code == 302
        answer = client.get(made["Location"])
        [plain] = self.PLAIN.findall(answer.content.decode())
        assert "no-store" in answer["Cache-Control"]
        found = tokens.authenticate(plain)
        assert found is not None
        assert (found.user, found.scopes) == (bob, ["upload"])
        secret = plain.rsplit("_", 1)[1]
        for url in ("", f"{found.pk}/change/", f"{found.pk}/history/", f"{found.pk}/issued/"):
            shown = client.get(f"/admin/accounts/accesstoken/{url}", follow=True).content.decode()
            assert secret not in shown
        assert AuditLog.objects.get(action="token.create").actor == alice.pk

    def test_reloading_makes_no_second_token_and_says_why_the_secret_is_gone(self, alice: User, bob: User):
        client = signed_in(alice)
        page = client.post(self.ADD, {**self.FORM, "user": bob.pk}, follow=True)
        again = client.get(page.request["PATH_INFO"], follow=True)
        assert "was shown once" in again.content.decode()
        assert AccessToken.objects.count() == 1

    def test_a_kept_cookie_shows_it_no_second_time(self, alice: User, bob: User):
        client = signed_in(alice)
        made = client.post(self.ADD, {**self.FORM, "user": bob.pk})
        [cookie] = [it for it in made.cookies.values() if self.PLAIN.search(it.value)]
        assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (made["Location"], True, "Strict")
        assert client.get(made["Location"]).status_code == 200
        client.cookies[cookie.key] = cookie.value
        assert client.get(made["Location"]).status_code == 302

    def test_no_database_ever_holds_the_secret(self, alice: User, bob: User):
        client = signed_in(alice)
        made = client.post(self.ADD, {**self.FORM, "user": bob.pk})
        [plain] = [found[0] for it in made.cookies.values() if (found := self.PLAIN.search(it.value))]
        kept = [session.get_decoded() for session in Session.objects.all()]
        assert kept
        assert plain.rsplit("_", 1)[1] not in str(kept)

    def test_somebody_else_is_shown_nothing(self, alice: User, bob: User, dana: User):
        made = signed_in(alice).post(self.ADD, {**self.FORM, "user": bob.pk})
        other = signed_in(may(dana, "add_accesstoken"))
        other.cookies.update(made.cookies)
        other.force_login(dana)
        assert not self.PLAIN.search(other.get(made["Location"], follow=True).content.decode())

    def test_a_form_without_scopes_is_refused(self, alice: User, bob: User):
        form = {**self.FORM, "scopes": [], "user": bob.pk}
        signed_in(alice).post("/admin/accounts/accesstoken/add/", form)
        assert not AccessToken.objects.exists()

    def test_staff_makes_tokens_for_nobody_else(self, alice: User, dana: User):
        client = signed_in(may(dana, "add_accesstoken"))
        client.post("/admin/accounts/accesstoken/add/", {**self.FORM, "user": alice.pk})
        assert AccessToken.objects.get().user == dana

    def test_an_admin_revokes(self, alice: User, bob: User):
        token, plain = tokens.issue(bob, name="laptop", scopes=[Scope.UPLOAD])
        action = {"action": "revoke_tokens", "_selected_action": [token.pk]}
        answer = signed_in(alice).post("/admin/accounts/accesstoken/", action, follow=True)
        assert "Revoked 1" in answer.content.decode()
        assert tokens.authenticate(plain) is None
        assert AuditLog.objects.get(action="token.revoke").actor == alice.pk

    def test_the_page_of_a_token_has_a_button_to_revoke_it(self, alice: User, bob: User):
        token, plain = tokens.issue(bob, name="laptop", scopes=[Scope.UPLOAD])
        page = f"/admin/accounts/accesstoken/{token.pk}"
        client = signed_in(alice)
        assert f'action="{page}/revoke/"' in client.get(f"{page}/change/").content.decode()
        answer = client.post(f"{page}/revoke/", follow=True).content.decode()
        assert "Revoked 1 access token." in answer
        assert f'action="{page}/revoke/"' not in answer
        assert tokens.authenticate(plain) is None
        row = AuditLog.objects.get(action="token.revoke")
        assert (row.actor, row.target) == (alice.pk, f"token:{token.key_id}")

    def test_who_may_only_look_cannot_revoke(self, dana: User, bob: User):
        token, plain = tokens.issue(bob, name="laptop", scopes=[Scope.UPLOAD])
        page = f"/admin/accounts/accesstoken/{token.pk}"
        client = signed_in(may(dana, "view_accesstoken"))
        assert "/revoke/" not in client.get(f"{page}/change/").content.decode()
        assert client.post(f"{page}/revoke/").status_code == 403
        assert tokens.authenticate(plain) is not None

    def test_the_list_filters_by_state(self, alice: User, bob: User):
        past = timezone.now() - timedelta(days=1)
        made = {
            "usable": tokens.issue(bob, name="laptop", scopes=[Scope.UPLOAD])[0],
            "expired": tokens.issue(bob, name="old", scopes=[Scope.UPLOAD], expires_at=past)[0],
            "revoked": tokens.issue(bob, name="lost", scopes=[Scope.UPLOAD])[0],
        }
        tokens.revoke(made["revoked"], by=bob)
        client = signed_in(alice)
        for state in made:
            page = client.get(f"/admin/accounts/accesstoken/?state={state}").content.decode()
            assert [it for it, token in made.items() if token.key_id in page] == [state]

    def test_who_may_only_look_sees_no_action(self, dana: User, bob: User):
        token, plain = tokens.issue(bob, name="laptop", scopes=[Scope.UPLOAD])
        client = signed_in(may(dana, "view_accesstoken"))
        assert "revoke_tokens" not in client.get("/admin/accounts/accesstoken/").content.decode()
        client.post(
            "/admin/accounts/accesstoken/", {"action": "revoke_tokens", "_selected_action": [token.pk]}
        )
        assert tokens.authenticate(plain) is not None


class TestAuditLogPages:
    def test_rows_are_read_and_filtered_not_written(self, alice: User):
        row = audit.record("usage.prune", target="day:2026-01-01", actor=alice)
        audit.record("token.create", target="token:x")
        client = signed_in(alice)
        page = client.get("/admin/accounts/auditlog/?action=usage.prune").content.decode()
        assert "day:2026-01-01" in page
        assert "token:x" not in page
        assert "alice@example.com" in page
        assert "?action=token.create" in page
        assert '<select name="action"' not in page
        for url in ("add/", f"{row.pk}/delete/"):
            assert client.post(f"/admin/accounts/auditlog/{url}", {"post": "yes"}).status_code == 403
        assert client.post(f"/admin/accounts/auditlog/{row.pk}/change/", {"action": "x"}).status_code == 403

    def test_the_search_finds_the_whole_target(self, alice: User):
        audit.record("usage.prune", target="day:2026-01-01")
        audit.record("usage.prune", target="day:2026-01-02")
        page = signed_in(alice).get("/admin/accounts/auditlog/?q=day:2026-01-02").content.decode()
        assert "1 result" in page
        assert "day:2026-01-01" not in page

    @pytest.mark.parametrize(
        "address",
        ["accounts/auditlog/?target=%00", "accounts/user/?q=%00", "django_q/success/%00/change/"],
    )
    def test_a_nul_in_the_address_is_the_clients_fault(self, alice: User, address: str):
        assert signed_in(alice).get(f"/admin/{address}").status_code == 400

    @pytest.mark.parametrize(
        "address",
        ["telemetry/usageevent/?user=1%s", "accounts/auditlog/?id__in=2,1%s", "auth/group/?permissions=1%s"],
    )
    def test_a_number_that_no_row_can_have_is_no_fault_of_the_server(self, alice: User, address: str):
        assert signed_in(alice).get(f"/admin/{address}" % ("0" * 30)).status_code in (200, 400)

    def test_every_count_is_limited(self, alice: User):
        audit.record("usage.prune")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            signed_in(alice).get("/admin/accounts/auditlog/?client_kind__exact=web")
        counts = [query["sql"] for query in queries if "COUNT(" in query["sql"].upper()]
        assert counts
        assert all(f"LIMIT {UncountedPaginator.LIMIT}" in sql for sql in counts), counts

    def test_a_search_tells_its_count_even_when_it_is_cut(self, alice: User, monkeypatch):
        monkeypatch.setattr(UncountedPaginator, "LIMIT", 1001)
        rows = [AuditLog(action="usage.prune", target="day:x", client_kind="task") for _ in range(1002)]
        AuditLog.objects.bulk_create(rows)
        page = signed_in(alice).get("/admin/accounts/auditlog/?q=day:x").content.decode()
        assert "1\u2009001 or more results" in page

    def test_an_empty_list_of_tokens_says_how_to_make_one(self, alice: User):
        page = signed_in(alice).get("/admin/accounts/accesstoken/").content.decode()
        assert "No access tokens yet." in page
        assert "manage.py createtoken" in page

    def test_a_long_list_says_that_it_is_cut(self, alice: User, monkeypatch):
        monkeypatch.setattr(UncountedPaginator, "LIMIT", 101)
        for _ in range(103):
            audit.record("usage.prune")
        page = signed_in(alice).get("/admin/accounts/auditlog/").content.decode()
        assert "101 or more audit log" in page
        assert signed_in(alice).get("/admin/accounts/auditlog/?p=2").status_code == 200
