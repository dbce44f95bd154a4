"""Choices that depend on names alone: the same today, tomorrow, on every machine, whatever else is in the data."""

from __future__ import annotations

import hashlib


def stable_hash(name: str, seed: int = 0) -> int:
    """A 64-bit number for a name (blake2b), the same in every process, unlike `hash`."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8, key=seed.to_bytes(8, "little"))
    return int.from_bytes(digest.digest(), "little")


def shard_of(name: str, shards: int) -> str:
    """The shard of a video, e.g. "03of08": it depends on the id alone, so adding videos leaves other shards alone."""
    width = len(str(shards))
    return f"{stable_hash(name) % shards:0{width}d}of{shards:0{width}d}"
