from __future__ import annotations

from simhand.why.explanation import explain
from simhand.why.job import Job


def shard_jobs(rule: str, after: frozenset[str] = frozenset(), **facts: object) -> list[Job]:
    return [Job(rule, ("ego", f"{i}of256"), after=after, **facts) for i in range(256)]  # type: ignore[arg-type]


def test_two_hundred_shards_take_a_few_lines() -> None:
    faster = {"params_before": ("{'fps': 1}",), "params_now": {"settings": {"fps": 2}}}
    found = [
        *shard_jobs("sample_frames", **faster),
        *shard_jobs("detect_hands", frozenset({"sample_frames"})),
        *shard_jobs("crop_hands", frozenset({"sample_frames", "detect_hands"})),
        Job("draw_pool", ("ego",), frozenset({"crop_hands"}), params_before=("1",), params_now={"size": 2}),
    ]
    assert explain(found, ["data"]) == (
        "769 jobs would run for data, because of:\n\n"
        "  settings changed:\n    fps: 1 -> 2\n    in sample_frames (256 jobs)\n\n"
        "  settings changed:\n    size: 1 -> 2\n    in draw_pool ego\n\n"
        "In this order:\n"
        "  sample_frames    256 jobs  by itself\n"
        "  detect_hands     256 jobs  after sample_frames\n"
        "  crop_hands       256 jobs  after detect_hands\n"
        "  draw_pool           1 job  by itself, and after crop_hands\n"
    )


def test_many_videos_and_files_are_counted() -> None:
    added = [
        Job("list_videos", (f"{i}of256",), params_before=("[]",), params_now={"videos": [(f"{i:03}.mp4", 1)]})
        for i in range(256)
    ]
    gone = [Job("evaluate", (run,), missing=(f"results/{run}.json",)) for run in ("a", "b")]
    shown = "".join(f"    {i:03}.mp4 added\n" for i in range(5))
    assert explain([*added, *gone], ["all"]).startswith(
        f"258 jobs would run for all, because of:\n\n  videos changed:\n{shown}"
        "    and 251 more\n    in list_videos (256 jobs)\n\n"
        "  missing (deleted):\n    results/a.json\n    results/b.json\n    in evaluate a, evaluate b\n\n"
    )


def test_runs_whose_settings_changed_differently_are_told_apart() -> None:
    runs = {"peclr": "temperature", "simclr": "epochs"}
    changed = [
        Job("pretrain", (run,), params_before=(f"{{'{key}': 1}}",), params_now={"settings": {key: 2}})
        for run, key in runs.items()
    ]
    text = explain(changed, ["pretrained"])
    assert "    temperature: 1 -> 2\n    in pretrain peclr\n" in text
    assert "    epochs: 1 -> 2\n    in pretrain simclr\n" in text


def test_an_edit_of_what_all_stages_use_is_one_paragraph() -> None:
    now = {"code": {"files.py": "2"}}
    names = [(f"stage{i}", name) for i in range(7) for name in "ab"]
    text = explain(
        [Job(rule, (name,), params_before=("{'files.py': '1'}",), params_now=now) for rule, name in names], []
    )
    assert "  code changed:\n    files.py\n    in 14 jobs of 7 rules\n" in text


def test_nothing_to_do_is_said() -> None:
    assert explain([], ["data", "table1"]) == (
        "Nothing would run for data, table1: all of it agrees with the configuration, the code and the videos.\n"
    )
