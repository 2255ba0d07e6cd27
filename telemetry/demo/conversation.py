"""One session of a person: prompts, turns, tool calls, and what happens in between."""

from typing import Any

from telemetry.demo import commands, subagents, tools
from telemetry.demo.people import Person
from telemetry.demo.tools import ToolCall
from telemetry.demo.vocabulary import ANSWERS, FOLLOW_UPS, INTENTIONS, STEERING, THOUGHTS, Project, available
from telemetry.demo.writer import Json, TranscriptWriter

INTERRUPTED = "[Request interrupted by user]"
INTERRUPTED_TOOL = "[Request interrupted by user for tool use]"
SUMMARY = (
    "This session is being continued from a previous conversation that ran out of context. "
    "The conversation is summarized below:\n{prompt}"
)


class Conversation:
    """Writes the main transcript of a session, and a transcript for every subagent it sends."""

    def __init__(self, person: Person, project: Project, writer: TranscriptWriter) -> None:
        self.person = person
        self.project = project
        self.writer = writer
        self.rng = writer.rng
        self.agents: list[TranscriptWriter] = []

    def hold(self) -> None:
        """Everything from the opening to the last answer: 10 to 60 turns."""
        writer, rng = self.writer, self.rng
        if rng.random() < 0.3:
            commands.user_interface(writer)
        self._ask(rng.choice(self.project.prompts))
        turns = rng.randrange(10, 60)
        while turns > 0:
            stretch = min(turns, rng.randrange(3, 14))
            turns -= stretch
            self._work(stretch)
            if turns > 0:
                self._go_on()
        if rng.random() < 0.04:
            # The terminal was closed in the middle of a call.
            writer.message([self._block(self._pick())])
        writer.state("ai-title", aiTitle=self.project.prompts[0][:60])
        writer.state("last-prompt", lastPrompt=FOLLOW_UPS[0])

    def work_alone(self, turns: int) -> None:
        """The turns of a subagent: nobody is asked, so nobody rejects."""
        for _ in range(turns):
            self._call_tools([self._pick()], attended=False)

    def _ask(self, text: str) -> None:
        self.writer.user(text, promptSource="typed", origin={"kind": "human"})

    def _go_on(self) -> None:
        """The person comes back after a while, with a prompt or a command."""
        writer, rng = self.writer, self.rng
        writer.wait(8, 240 if rng.random() < 0.85 else 3000)
        if rng.random() < 0.05:
            self._compact()
        if rng.random() < self.person.skilful * 2:
            commands.plugin_command(writer, rng.choice(self._available(self.person.team.commands)))
        elif rng.random() < 0.05:
            commands.user_interface(writer)
            self._ask(rng.choice(self.project.prompts))
        else:
            self._ask(rng.choice(FOLLOW_UPS))

    def _work(self, turns: int) -> None:
        for _ in range(turns - 1):
            if not self._turn():
                return
        if self.rng.random() < 0.03:
            self._interrupt(INTERRUPTED)
            return
        self.writer.message([{"type": "text", "text": self._say(ANSWERS)}])
        self.writer.system("turn_duration", durationMs=turns * 9000, isMeta=False)

    def _turn(self) -> bool:
        """One message of Claude and the answers to its calls. False: a person stopped it."""
        rng = self.rng
        if rng.random() < 0.008:
            self._api_error()
        if rng.random() < 0.015:
            self._steer()
        if rng.random() < self.person.skilful:
            commands.skill_call(self.writer, rng.choice(self._available(self.person.team.skills)))
            return True
        if rng.random() < self.person.delegates:
            self._delegate()
            return True
        return self._call_tools([self._pick() for _ in range(rng.choices((1, 2, 3), (70, 22, 8))[0])])

    def _call_tools(self, calls: list[ToolCall], *, attended: bool = True) -> bool:
        """Ask for calls in one message and answer each. False: a person rejected the last one."""
        asked = [(call, self._block(call)) for call in calls]
        line = self.writer.message([*self._preface(), *(block for _, block in asked)])
        failed = ""
        for call, block in asked:
            self.writer.wait(0.1, 20 if call.name == "Bash" else 3)
            if failed:
                answer_failed(self.writer, block, line, tools.CANCELLED.format(name=failed))
            elif attended and call.asks_permission and self.rng.random() < self.person.rejects:
                self.writer.wait(3, 60)
                answer_failed(self.writer, block, line, tools.REJECTED, toolDenialKind="user-rejected")
                if block is asked[-1][1]:
                    self._interrupt(INTERRUPTED_TOOL)
                    return False
            elif call.failure:
                answer_failed(self.writer, block, line, call.failure)
                failed = call.name if call.name == "Bash" else ""
            else:
                self.writer.result(block, line, call.answer, {"stdout": call.answer, "stderr": ""})
        return True

    def _delegate(self) -> None:
        kind = self.rng.choice(self._available(self.person.team.agents))
        dispatch = subagents.dispatch(self.writer, kind, self._say(INTENTIONS))
        Conversation(self.person, self.project, dispatch.agent).work_alone(self.rng.randrange(3, 9))
        dispatch.report(self._say(ANSWERS))
        self.agents.append(dispatch.agent)

    def _compact(self) -> None:
        writer = self.writer
        before, writer.context = writer.context, 12_000
        metadata = {"trigger": self.rng.choice(("auto", "auto", "manual")), "preTokens": before}
        writer.system("compact_boundary", content="Conversation compacted", compactMetadata=metadata)
        summary = SUMMARY.format(prompt=self.project.prompts[0])
        writer.user(summary, isCompactSummary=True, isVisibleInTranscriptOnly=True)

    def _interrupt(self, text: str) -> None:
        self.writer.wait(0.2, 2)
        self.writer.user([{"type": "text", "text": text}])

    def _api_error(self) -> None:
        self.writer.system("api_error", level="error", retryInMs=2000, retryAttempt=1, maxRetries=10)
        self.writer.wait(2, 5)

    def _steer(self) -> None:
        self.writer.attachment(type="queued_command", prompt=self.rng.choice(STEERING), commandMode="prompt")

    def _pick(self) -> ToolCall:
        return tools.pick(self.person, self.project, self.writer.setting.cwd, self.rng)

    def _available(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return available(names, self.writer.setting.day)

    def _block(self, call: ToolCall) -> Json:
        return {
            "type": "tool_use",
            "id": self.writer.new_id("toolu_"),
            "name": call.name,
            "input": call.input,
        }

    def _preface(self) -> list[Json]:
        if self.rng.random() < 0.15:
            return [{"type": "thinking", "thinking": self.rng.choice(THOUGHTS), "signature": ""}]
        if self.rng.random() < 0.3:
            return [{"type": "text", "text": self._say(INTENTIONS)}]
        return []

    def _say(self, sentences: tuple[str, ...]) -> str:
        words, files = self.project.words, self.project.files
        return self.rng.choice(sentences).format(file=self.rng.choice(files), word=self.rng.choice(words))


def answer_failed(writer: TranscriptWriter, block: Json, line: Json, words: str, **fields: Any) -> None:
    writer.result(block, line, words, f"Error: {words}", is_error=True).update(fields)
