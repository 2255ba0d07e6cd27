"""Lists of structs that are put aside in a temporary file."""

import tempfile
from collections.abc import Iterator
from typing import IO, Generic, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


class SpillFile(Generic[T]):
    """Takes lists of one type of struct, and gives them back in the order in which they came.

    The file is made when the first list comes, and goes with this object.
    """

    def __init__(self, struct: type[T]) -> None:
        self._decode = msgspec.msgpack.Decoder(list[struct]).decode  # type: ignore[valid-type]
        self._file: IO[bytes] | None = None
        self._lengths: list[int] = []

    def put(self, values: list[T]) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as this object
        encoded = msgspec.msgpack.encode(values)
        self._file.write(encoded)
        self._lengths.append(len(encoded))

    def __iter__(self) -> Iterator[T]:
        if self._file is None:
            return
        self._file.seek(0)
        for length in self._lengths:
            yield from self._decode(self._file.read(length))
