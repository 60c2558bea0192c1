"""Files in another encoding are rewritten as UTF-8 before anything else looks at them."""

from __future__ import annotations

import codecs
from pathlib import Path

from moviehouse.errors import SourceError, UsageError

_BLOCK = 1 << 22


def codec_of(encoding: str) -> codecs.CodecInfo:
    """The codec of a text encoding. Raises UsageError where Python knows none of that name."""
    try:
        "".encode(encoding)  # refuses what is a codec but no text's encoding, such as hex
        return codecs.lookup(encoding)
    except (LookupError, ValueError):
        raise UsageError(f"There is no encoding {encoding!r}.", "Try utf-8, latin-1, cp1252 or utf-16.") from None


def to_utf8(path: Path, encoding: str, work: Path) -> Path:
    """The path itself for UTF-8, else that of a copy in UTF-8 under `work`.

    Raises UsageError for an encoding that Python does not know, SourceError where a byte is none of it.
    """
    codec = codec_of(encoding)
    if codec.name in ("utf-8", "utf-8-sig"):
        return path
    target = work / f"utf8-{path.name}"
    decoder = codec.incrementaldecoder("strict")
    done = 0
    with path.open("rb") as source, target.open("wb") as out:
        try:
            while block := source.read(_BLOCK):
                out.write(decoder.decode(block).encode())
                done += len(block)
            out.write(decoder.decode(b"", final=True).encode())
        except UnicodeError as error:
            raise SourceError(
                f"{path.name} is not {encoding}: {getattr(error, 'reason', error)} after byte {done:,}.",
                "Name its encoding with --encoding.",
            ) from None
    return target
