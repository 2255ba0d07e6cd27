"""Agents: what they are called, and that they answer to nothing else."""

from marketplace.plugins.records import Identifiers
from marketplace.tests.plugins.helpers import ids, markdown, messages, only, plugin


def test_they_are_called_by_folder_and_name():
    agent = only(plugin({"agents/review/a.md": markdown(name="auditor", description="Audits.")}), "agent")
    assert agent.identifiers == Identifiers("kit:review:auditor")
    assert (agent.name, agent.description) == ("auditor", "Audits.")


def test_readme_counts_and_other_spellings_of_the_ending_do_not():
    files = {"agents/README.md": "R.", "agents/B.MD": "B.", "agents/x/y/c.md": "C.", "agents/d.txt": ""}
    assert ids(plugin(files), "agent") == ["kit:README", "kit:x:y:c"]


def test_without_a_readable_name_the_file_names_it():
    files = {
        "agents/a.md": "---\nname: [\n: }\n---\n",
        "agents/b.md": markdown(description="x"),
        "agents/c.md": markdown(name="[x, y]"),
        "agents/d.md": markdown(name="  "),
    }
    assert ids(plugin(files), "agent") == ["kit:a", "kit:b", "kit:c", "kit:d"]


def test_a_name_of_another_type_is_text():
    files = {
        "agents/a.md": markdown(name="true"),
        "agents/b.md": markdown(name="1.0"),
        "agents/c.md": markdown(name="yes"),
    }
    assert ids(plugin(files), "agent") == ["kit:true", "kit:1", "kit:yes"]


def test_a_name_is_rescued_from_yaml_that_breaks_elsewhere():
    text = "---\nname: auditor\ndescription: Use when: a, b [c]\ntools: [Read, Grep]\n---\n"
    agent = only(plugin({"agents/a.md": text}), "agent")
    assert agent.identifiers == Identifiers("kit:auditor")
    assert agent.description == "Use when: a, b [c]"
    assert agent.details == {"tools": ["Read", "Grep"]}


def test_a_description_over_lines_that_are_not_indented_is_lost_with_the_name():
    text = (
        "---\nname: creator\ndescription: Use it when somebody asks. Examples:\n\n<example>\n"
        'Context: Somebody asks\nuser: "Please"\nassistant: "Yes: at once."\n</example>\n\nmodel: opus\n'
        "---\nBody\n"
    )
    kit = plugin({"agents/agent-creator.md": text})
    assert ids(kit, "agent") == ["kit:agent-creator"]
    assert "not valid YAML" in messages(kit, "warning")


def test_named_files_have_no_folder_part():
    files = {"agents/a.md": "A.", "x/y/b.md": markdown(name="bee"), "c.md": "C."}
    kit = plugin(files, {"agents": ["./c.md"]}, manifest={"name": "acme", "agents": ["./x/y/b.md"]})
    assert ids(kit, "agent") == ["acme:bee", "acme:c"]


def test_a_folder_with_such_a_name_is_an_error():
    kit = plugin({"x.md/a.md": "A."}, {"agents": "./x.md"})
    assert ids(kit, "agent") == []
    assert "wrong kind" in messages(kit, "error")


def test_what_a_plugins_agent_cannot_set_is_noted():
    kit = plugin({"agents/a.md": markdown(permissionMode="bypass", hooks="{}", model="opus")})
    assert "hooks, permissionMode of a plugin's agent" in messages(kit, "note")
    assert only(kit, "agent").details == {"model": "opus"}
