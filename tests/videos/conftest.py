"""Sources as they lie on a disk, and what is read of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simhand.videos import sources
from simhand.videos.sources import content_fingerprint
from tests.conftest import WriteVideo


def settle(folder: Path, time_s: float = 1e9) -> None:
    """Makes everything in a folder look as if it had not changed for long."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            os.utime(path, (time_s, time_s))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files whose content is read, and of the folders that are listed, as it happens."""
    names: list[str] = []

    def watched(of: Callable[..., Any], name: Callable[..., str]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            names.append(name(*arguments))
            return of(*arguments)

        return call

    monkeypatch.setattr(sources, "content_fingerprint", watched(content_fingerprint, lambda path: path.name))
    monkeypatch.setattr(sources, "_frames_video", watched(sources._frames_video, lambda name, *_: name))
    return names


@pytest.fixture
def folder(tmp_path: Path, write_video: WriteVideo) -> Path:
    write_video(tmp_path / "videos" / "a.mp4", [0, 0.5, 1.0, 1.5])
    write_video(tmp_path / "videos" / "deep" / "b c ä.mkv", [0, 0.5])
    (tmp_path / "videos" / "notes.txt").write_text("no video")
    (tmp_path / "videos" / ".hidden.mp4").write_text("no video")
    (tmp_path / "videos" / ".trash").mkdir()
    (tmp_path / "videos" / ".trash" / "c.mp4").write_text("no video")
    settle(tmp_path / "videos")
    return tmp_path / "videos"
