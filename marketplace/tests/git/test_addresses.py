"""Which addresses, refs and token names are taken, and that nothing secret is quoted."""

import pytest

from marketplace.git.addresses import read_address, read_ref, without_credentials
from marketplace.git.errors import AddressRefused, RefRefused, TokenRefused
from marketplace.git.tokens import check_name


class TestAddresses:
    @pytest.mark.parametrize(
        "text",
        [
            "https://git.example.com/team/plugins.git",
            "https://git.example.com:8443/~team/plugins",
            "https://[::1]:8443/plugins",
            "ssh://git@git.example.com/team/plugins.git",
            "ssh://git.example.com:2222/team/plugins.git",
            "file:///srv/git/plugins",
        ],
    )
    def test_these_are_taken_as_they_are(self, text: str):
        assert read_address(f"  {text} ").text == text

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "plugins",
            "/srv/plugins",
            "http://git.example.com/plugins",
            "git://git.example.com/plugins",
            "ftp://git.example.com/plugins",
            "HTTPS:git.example.com/plugins",
            "ext::sh -c touch% /tmp/x",
            "ext::https://git.example.com/plugins",
            "fd::17/foo",
            "--upload-pack=touch /tmp/x",
            "-u",
            "https://-oProxyCommand=x/plugins",
            "ssh://-oProxyCommand=x/plugins",
            "ssh://-x@git.example.com/plugins",
            "ssh://a b@git.example.com/plugins",
            "https://git.example.com",
            "https://git.example.com/",
            "https:///plugins",
            "https://git.example.com/a b",
            "https://git.example.com/a\nb",
            "https://git.example.com/a?b",
            "https://git.example.com/a#b",
            "https://git.example.com:99999/a",
            "https://git.example.com:x/a",
            "https://[::1/a",
            "https://git.exa\tmple.com/a",
            "file://host/srv/plugins",
            "file:plugins",
            "https://git.example.com/" + "a" * 500,
        ],
    )
    def test_these_are_refused_with_an_example(self, text: str):
        with pytest.raises(AddressRefused) as refused:
            read_address(text)
        assert refused.value.hint
        assert refused.value.fields.keys() == {"url"}

    def test_gits_short_form_of_ssh_is_refused_with_the_long_one(self):
        with pytest.raises(AddressRefused) as refused:
            read_address("git@git.example.com:team/plugins.git")
        assert "ssh://git@host/path" in refused.value.hint

    @pytest.mark.parametrize(
        "text",
        [
            "https://me:s3cret@git.example.com/plugins",
            "https://s3cret@git.example.com/plugins",
            "ssh://git:s3cret@git.example.com/plugins",
            "https://me:s3cret@x@git.example.com/plugins",
            "file://me:s3cret@/srv/plugins",
        ],
    )
    def test_credentials_are_refused_and_not_quoted(self, text: str):
        with pytest.raises(AddressRefused) as refused:
            read_address(text)
        assert "credentials" in refused.value.message
        assert "AGNES_GIT_TOKEN_" in refused.value.hint
        assert "s3cret" not in f"{refused.value} {refused.value.hint} {refused.value.fields}"

    def test_in_what_git_says_they_are_masked(self):
        said = "fatal: unable to access 'https://me:s3cret@git.example.com/x/': no"
        assert without_credentials(said) == "fatal: unable to access 'https://***@git.example.com/x/': no"
        assert without_credentials("https://me:s3@cret@git.example.com") == "https://***@git.example.com"


class TestRefs:
    @pytest.mark.parametrize("ref", ["", "main", "v1.2.0", "feature/rows-2", "release+1", "a" * 40, "x@y"])
    def test_these_are_taken(self, ref: str):
        assert read_ref(f" {ref} ") == ref

    @pytest.mark.parametrize(
        "ref",
        [
            "-x",
            "--upload-pack=x",
            "a..b",
            "a b",
            "a:b",
            "+a",
            "^a",
            "a@{1}",
            "a/",
            "a//b",
            "a.lock",
            "a\\b",
            "a*",
        ],
    )
    def test_these_are_refused(self, ref: str):
        with pytest.raises(RefRefused, match="branch, tag or commit"):
            read_ref(ref)


class TestTokenNames:
    HTTPS = read_address("https://git.example.com/plugins")

    @pytest.mark.parametrize("name", ["", "AGNES_GIT_TOKEN_TEAM", "AGNES_GIT_TOKEN_2"])
    def test_these_are_taken(self, name: str):
        assert check_name(name, self.HTTPS) == name

    @pytest.mark.parametrize(
        "name",
        ["SECRET_KEY", "AGNES_GIT_TOKEN_", "AGNES_GIT_TOKEN_a", "ghp_s3cret", "AGNES_GIT_TOKEN_A\nB", "PATH"],
    )
    def test_others_are_refused_and_not_quoted(self, name: str):
        with pytest.raises(TokenRefused) as refused:
            check_name(name, self.HTTPS)
        assert "ghp_s3cret" not in str(refused.value) + refused.value.hint

    @pytest.mark.parametrize("url", ["ssh://git@git.example.com/plugins", "file:///srv/plugins"])
    def test_a_token_goes_over_https_only(self, url: str):
        with pytest.raises(TokenRefused, match="https only"):
            check_name("AGNES_GIT_TOKEN_TEAM", read_address(url))
