"""Heads of all streams, signed and kept outside the database: what was published once cannot be cut off unseen."""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from portfolios.domain.chain import canonical_text
from portfolios.services.verification import Head, content_in, one_moment, row_heads

KEY = re.compile(r"[0-9a-f]{64}")
DAYS = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*.json"


class BadKey(ValueError):
    """No Ed25519 key where one should be."""


class Forged(ValueError):
    """A file of heads that is not as it was signed, byte by byte."""


class Heads(NamedTuple):
    """Every stream's last event at one moment."""

    made_at: str
    heads: Mapping[UUID, Head]


def folder() -> Path:
    return Path(settings.VAR) / "heads"


def private_key() -> Ed25519PrivateKey:
    """The given key; else one made once for this data folder. Raises BadKey."""
    return Ed25519PrivateKey.from_private_bytes(key_bytes(settings.HEADS_KEY or kept_key()))


def kept_key() -> str:
    path = folder() / "private-key"
    if not path.exists():
        draft = draft_of(path, Ed25519PrivateKey.generate().private_bytes_raw().hex())
        with suppress(FileExistsError):  # another process was faster: its key is the one
            os.link(draft, path)
        draft.unlink()
    return path.read_text()


def draft_of(path: Path, text: str) -> Path:
    """Written and on the disk under another name, for nobody else to read."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(draft, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft


def key_bytes(text: str) -> bytes:
    if not KEY.fullmatch(text.strip()):
        raise BadKey("a key is 64 hexadecimal digits in small letters")
    return bytes.fromhex(text.strip())


def public_key() -> str:
    return private_key().public_key().public_bytes_raw().hex()


def signed_heads(*, at: datetime) -> str:
    """All heads of one moment as the text of a file."""
    with one_moment():
        ends = row_heads()
    heads = {str(stream): {"seq": end.seq, "hash": end.hash} for stream, end in ends.items() if end.seq}
    return sealed(canonical_text({"made_at": at.isoformat(), "heads": heads}))


def sealed(text: str) -> str:
    key = private_key()
    return canonical_text(
        {
            "text": text,
            "signature": key.sign(text.encode()).hex(),
            "public_key": key.public_key().public_bytes_raw().hex(),
        }
    )


def read_heads(raw: bytes, *, trusted: str) -> Heads:
    """What a file says, if who holds the private half of `trusted` said it. Raises Forged, BadKey."""
    seal = content_in(raw.decode(errors="replace"))
    text, signature = str(seal.get("text", "")), str(seal.get("signature", ""))
    try:
        Ed25519PublicKey.from_public_bytes(key_bytes(trusted)).verify(bytes.fromhex(signature), text.encode())
    except (InvalidSignature, UnicodeEncodeError) as error:
        raise Forged("its signature is not that of the trusted key over what it says") from error
    except BadKey:
        raise
    except ValueError as error:
        raise Forged("its signature is none") from error
    as_signed = {"text": text, "signature": bytes.fromhex(signature).hex(), "public_key": trusted.strip()}
    if canonical_text(as_signed).encode() != raw:
        raise Forged("it is not written as it was signed")
    return heads_in(content_in(text))


def heads_in(content: Mapping[str, Any]) -> Heads:
    heads = {UUID(stream): (int(head["seq"]), str(head["hash"])) for stream, head in content["heads"].items()}
    return Heads(str(content["made_at"]), heads)


def export_heads(*, at: datetime, to: Path | None = None) -> Path:
    """Written whole or not at all, and never over an earlier day's or an earlier hour's."""
    path = to or folder() / f"{at:%Y-%m-%d}.json"
    if to is None and path.exists():
        path = path.with_name(f"{at:%Y-%m-%dT%H%M%S}.json")
    draft = draft_of(path, signed_heads(at=at))
    draft.replace(path)
    return path


def kept_heads() -> list[Path]:
    """Files of this data folder, oldest first."""
    return sorted(folder().glob(DAYS))


def newest_kept() -> Heads | None:
    """What this house published last, if it has. Raises Forged, BadKey."""
    files = kept_heads()
    return read_heads(files[-1].read_bytes(), trusted=public_key()) if files else None
