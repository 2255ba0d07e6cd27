"""The API messages of one transcript, in bounded memory."""

from collections.abc import Iterator

from telemetry.transcripts.figures import UsageMessage
from telemetry.transcripts.spilling import SpillFile

# So many messages are held in memory, at about a third of a kilobyte each.
HELD_MESSAGES = 10_000


class MessageLog:
    """Messages by key, each added up from its pieces. Iterates over all of them.

    Once there are many, they are put aside in a file. A piece that comes later still (never seen, but
    possible) is held apart and joined when the messages are read.
    """

    def __init__(self) -> None:
        self._held: dict[str, UsageMessage] = {}
        self._settled: set[int] = set()
        self._settled_messages = SpillFile(UsageMessage)
        self._late: dict[str, UsageMessage] = {}
        self._settle_at = HELD_MESSAGES

    def __len__(self) -> int:
        return len(self._settled) + len(self._held)

    def __iter__(self) -> Iterator[UsageMessage]:
        for message in self._settled_messages:
            late = self._late.get(message.key)
            if late is not None:
                message.add_piece(late)
            yield message
        yield from self._held.values()

    def knows(self, key: str) -> bool:
        return key in self._held or hash(key) in self._settled

    def add(self, piece: UsageMessage) -> None:
        """Add one record's piece of a message."""
        pieces = self._late if hash(piece.key) in self._settled else self._held
        known = pieces.get(piece.key)
        if known is not None:
            known.add_piece(piece)
            return
        pieces[piece.key] = piece
        if len(self._held) >= self._settle_at:
            self._settle()

    def _settle(self) -> None:
        settled = [message for message in self._held.values() if _is_settled(message)]
        for message in settled:
            del self._held[message.key]
            self._settled.add(hash(message.key))
        self._settled_messages.put(settled)
        self._settle_at = len(self._held) + HELD_MESSAGES


def _is_settled(message: UsageMessage) -> bool:
    # A key that is not ASCII may hold what no file can: a lone surrogate.
    return message.occurred_ms is not None and message.key.isascii()
