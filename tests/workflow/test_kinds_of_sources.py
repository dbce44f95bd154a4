"""Lists of videos and folders of extracted frames, through the workflow: the same frames as of a folder of videos."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from simhand.files import open_arrow, read_parquet
from simhand.tables import FRAMES, VIDEO_STATUS
from tests.workflow.checkout import Checkout


def tables(checkout: Checkout, source: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The frames and the statuses of a source, by video."""
    folder = checkout.folder / "results" / "frames" / source
    frames = pa.concat_tables([open_arrow(path, FRAMES) for path in sorted(folder.glob("*.arrow"))])
    statuses = pa.concat_tables([read_parquet(path, VIDEO_STATUS) for path in sorted(folder.glob("*.parquet"))])
    return (
        frames.sort_by([("video_id", "ascending"), ("frame_index", "ascending")]).to_pylist(),
        statuses.sort_by("video_id").to_pylist(),
    )


def test_a_list_and_extracted_frames_give_the_frames_that_the_videos_give(finished: Checkout, tmp_path: Path) -> None:
    frames, statuses = tables(finished, "demo")
    checkout = Checkout.new(tmp_path)
    videos = [status["video_id"] for status in statuses]
    folder = finished.config()["sources"]["demo"]["videos"]
    lines = [f"{video}\t{finished.folder / folder / video}" for video in videos]
    (tmp_path / "list.txt").write_text("\n".join(["# all videos", *lines]))
    whole = next(status for status in statuses if status["frames"] and float(status["fps"]).is_integer())
    own = [frame for frame in frames if frame["video_id"] == whole["video_id"]]
    for frame in own:
        path = tmp_path / "extracted" / whole["video_id"] / f"frame_{frame['frame_index']:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(frame["jpeg"])
    sources = {
        "listed": {"list": str(tmp_path / "list.txt"), "shards": 2},
        "extracted": {"frames": str(tmp_path / "extracted"), "frame_rate": whole["fps"], "shards": 1},
    }
    checkout.write_config({"sources": sources, "pools": {"both": {"sources": list(sources)}}})
    printed = checkout.snakemake("--cores", "2", "--until", "sample_frames", "--", "all").stdout
    assert f"new videos: {len(videos)} of {len(videos)} (100 %)" in printed
    assert "mem_mb=1700" in printed  # two decoders of 500 MB, what gathers their frames, and Snakemake

    assert tables(checkout, "listed") == (frames, statuses)
    extracted, (status,) = tables(checkout, "extracted")
    assert extracted == own
    assert (status["status"], status["frames"], status["fps"]) == ("ok", len(own), whole["fps"])
