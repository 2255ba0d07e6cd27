"""MCP and LSP servers."""

import pytest

from marketplace.plugins.records import Identifiers
from marketplace.tests.plugins.helpers import ids, messages, names, only, plugin, rows

API = {"type": "http", "url": "https://example.com/x"}
DB = {"command": "db", "args": ["--port", 7], "env": {"TOKEN": "secret"}}


@pytest.mark.parametrize(
    "content", [{"mcpServers": {"db": DB}}, {"db": DB}, {"db": DB, "$schema": "x", "note": 7}]
)
def test_the_default_file_has_a_wrapper_or_none(content):
    part = only(plugin({".mcp.json": content}), "mcp_server")
    assert (part.name, part.identifiers) == ("db", Identifiers("plugin:kit:db"))
    assert part.details == {"command": "db", "args": ["--port", "7"], "env": ["TOKEN"]}


@pytest.mark.parametrize("kind", ["http", "streamable-http", "sse", "ws"])
def test_a_server_can_have_an_address(kind):
    remote = {"type": kind, "url": "https://me:pw@example.com/x", "headers": {"Authorization": "secret"}}
    part = only(plugin({".mcp.json": {"api": remote}}), "mcp_server")
    assert part.details == {"type": kind, "url": "https://example.com/x", "headers": ["Authorization"]}


def test_an_empty_address_is_a_placeholder():
    assert names(
        plugin({".mcp.json": {"mcpServers": {"api": {"type": "http", "url": ""}}}}), "mcp_server"
    ) == ["api"]


def test_the_manifest_adds_files_and_objects():
    files = {".mcp.json": {"db": DB}, "more.json": {"mcpServers": {"two": DB}}, "bare.json": {"three": DB}}
    manifest = {"name": "acme", "mcpServers": ["./more.json", "./bare.json", {"four": DB}]}
    assert names(plugin(files, manifest=manifest), "mcp_server") == ["db", "two", "three", "four"]
    one = plugin({}, manifest={"name": "acme", "mcpServers": {"one": DB}})
    assert ids(one, "mcp_server") == ["plugin:acme:one"]


def test_a_key_that_is_declared_again_is_one_server():
    kit = plugin(
        {".mcp.json": {"db": DB}}, manifest={"name": "acme", "mcpServers": {"db": {"command": "new"}}}
    )
    assert only(kit, "mcp_server").details == {"command": "new"}


@pytest.mark.parametrize(
    "configuration",
    [
        7,
        None,
        {},
        {"command": 7},
        {"command": " "},
        {"type": "http"},
        {"type": "http", "command": "db"},
        {"type": ["http"], "url": "x"},
        {"type": "stdio", "url": "x"},
        {"type": None, "command": "x"},
        {"url": "https://example.com/x"},
    ],
)
def test_an_unusable_configuration_is_an_error(configuration):
    kit = plugin({".mcp.json": {"mcpServers": {"bad": configuration, "db": DB}}})
    assert names(kit, "mcp_server") == ["db"]
    assert "“bad”" in messages(kit, "error")


@pytest.mark.parametrize("content", ["{", "[]", "7"])
def test_a_broken_file_is_an_error_and_the_rest_loads(content):
    kit = plugin({".mcp.json": content, "commands/go.md": "Go."})
    assert ids(kit, "command") == ["kit:go"]
    assert ".mcp.json" in messages(kit, "error")


def test_bundles_are_listed_without_identifiers():
    kit = plugin(
        {"x.mcpb": b"PK"}, manifest={"name": "acme", "mcpServers": ["./x.mcpb", "https://example.com/y.mcpb"]}
    )
    assert (names(kit, "mcp_server"), ids(kit, "mcp_server")) == (["x.mcpb", "y.mcpb"], [])
    assert messages(kit, "note").count("bundle") == 2


def test_tools_begin_with_both_names_made_safe():
    kit = plugin({".mcp.json": {"my.db é": DB}}, manifest={"name": "a b".replace(" ", ".")})
    assert rows(kit) == [("mcp_server", "mcp__plugin_a_b_my_db____", "plugin:a.b:my.db é")]


def test_servers_that_are_the_same_are_noted():
    kit = plugin({".mcp.json": {"one": DB, "two": DB, "api": API, "api2": API}})
    assert len(names(kit, "mcp_server")) == 4
    assert messages(kit, "note").count("are the same") == 2


def test_lsp_servers_have_a_file_and_a_field():
    go = {"command": "gopls", "extensionToLanguage": {".go": "go"}}
    kit = plugin(
        {".lsp.json": {"go": go}},
        {"lspServers": {"c": go}},
        manifest={"name": "a", "lspServers": {"rust": go}},
    )
    assert names(kit, "lsp_server") == ["go", "rust", "c"]
    assert only(plugin({".lsp.json": {"go": go}}), "lsp_server").details == {
        "command": "gopls",
        "extensions": [".go"],
    }
    assert rows(kit) == []
