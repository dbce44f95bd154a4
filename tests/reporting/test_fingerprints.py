"""Fingerprints of results."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from simhand.errors import TableError
from simhand.reporting.data_inputs import Pool
from simhand.reporting.fingerprints import content_fingerprint, pool_fingerprints


def test_a_fingerprint_tells_contents_and_their_order_apart(tmp_path: Path) -> None:
    first, second, both = (tmp_path / name for name in ("first", "second", "both"))
    first.write_bytes(b"a" * 100_000)
    second.write_bytes(b"b")
    both.write_bytes(b"a" * 100_000 + b"b")
    inner = [hashlib.blake2b(path.read_bytes()).digest() for path in (first, second)]
    assert content_fingerprint(first, second) == hashlib.blake2b(b"".join(inner), digest_size=8).hexdigest()
    fingerprints = [(first,), (second,), (both,), (first, second), (second, first)]
    assert len({content_fingerprint(*paths) for paths in fingerprints}) == 5
    with pytest.raises(TableError, match="cannot read a result"):
        content_fingerprint(tmp_path / "none")


def test_each_pool_has_its_own(pool: Pool) -> None:
    (row,) = pool_fingerprints([pool]).rows
    assert row == ("all", *map(content_fingerprint, (pool.members, pool.pca)), content_fingerprint(*pool.neighbours))
