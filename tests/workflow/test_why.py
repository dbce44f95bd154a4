"""`simhand why` on a finished demo: the causes of what would run again, in words."""

from __future__ import annotations

import re
from collections import Counter

from tests.workflow.checkout import Checkout
from tests.workflow.test_reruns import copy_video, edit, setting


def why(checkout: Checkout, *arguments: str) -> str:
    """The explanation, without what Snakemake and the planning print before it."""
    text = checkout.run("simhand", "why", *arguments).stdout
    return text[re.search(r"^(Nothing|\d+ jobs?) would", text, re.MULTILINE).start() :]  # type: ignore[union-attr]


def order(text: str) -> dict[str, int]:
    return {rule: int(count) for rule, count in re.findall(r"^  (\w+) +(\d+) jobs?  ", text, re.MULTILINE)}


def test_nothing_would_run(finished: Checkout) -> None:
    assert why(finished).startswith("Nothing would run for all: ")


def test_every_changed_key_is_told_also_where_the_job_runs_anyway(restored: Checkout) -> None:
    setting(("pools.demo.components", 12), ("pretraining.simhand.temperature", 0.4))(restored)
    text = why(restored)
    assert "  settings changed:\n    components: 14 -> 12\n    in embed_pool demo\n" in text
    assert re.search(r"  settings changed:\n    temperature: 0\.\d+ -> 0\.4\n    in pretrain simhand\n", text)
    assert re.search(
        r"  pretrain +1 job  by itself, and after mine_neighbours\n  finetune +2 jobs  after pretrain\n", text
    )
    assert order(text) == Counter(job.split()[0] for job in restored.to_do() if job != "all")


def test_an_edited_file_and_a_replaced_video_are_named(restored: Checkout) -> None:
    edit("simhand/evaluation/metrics.py")(restored)
    copy_video("person_000.mp4")(restored)
    index = restored.folder / "results/videos/demo/index.tsv"
    before = index.read_bytes()
    text = why(restored, "results/report/index.html")
    assert "  videos changed:\n    person_000.mp4 changed\n    in list_videos demo " in text
    edited = "  code changed:\n    simhand/evaluation/metrics.py\n    in evaluate (8 jobs), draw_hands (1 job), "
    assert edited in text
    assert text.count("changed:") == 2
    assert index.read_bytes() == before  # which jobs read that run meanwhile


def test_a_missing_file_is_named_for_those_targets_that_need_it(finished: Checkout) -> None:
    table = finished.folder / "results/pools/demo/members.parquet"
    kept = table.rename(table.with_name("kept"))
    text = why(finished, str(table.relative_to(finished.folder)))
    nothing = why(finished, "all")
    kept.rename(table)
    assert (
        "  missing (deleted, or its job failed or was stopped):\n    results/pools/demo/members.parquet (log: " in text
    )
    assert order(text) == {"draw_pool": 1}
    assert nothing.startswith("Nothing would run for all: ")


def test_new_models_are_told_from_changed_ones(restored: Checkout) -> None:
    setting(("experiment.seeds", [0, 1]))(restored)
    text = why(restored, "results/finetuning/demo/none/100/1/metrics.json")
    assert (
        "  never made:\n    results/finetuning/demo/none/100/1/predictions.parquet\n    in finetune demo none" in text
    )
    assert order(text) == {"finetune": 1, "evaluate": 1}


def test_what_cannot_be_planned_is_said_plainly(restored: Checkout) -> None:
    config = restored.config()
    config["sampling"]["fsp"] = config["sampling"].pop("fps")
    restored.write_config(config)
    done = restored.run("simhand", "why", check=False)
    assert done.returncode == 1
    assert "unknown key sampling.fsp" in done.stdout
    assert "did you mean fps?" in done.stdout
    config["sampling"]["fps"] = config["sampling"].pop("fsp")
    config["pools"]["demo-half"]["size"] = 999_999
    restored.write_config(config)
    done = restored.run("simhand", "why", check=False)
    assert done.returncode == 1
    assert "simhand: pools.demo-half.size is larger than its sources\n  expected: at most " in done.stdout
    assert "common.smk" not in done.stdout


def test_an_unknown_target_is_told_with_those_that_there_are(finished: Checkout) -> None:
    done = finished.run("simhand", "why", "tabel1", check=False)
    assert done.returncode == 1
    assert "simhand: no such target\n  expected: all, data, pretrained, table1, " in done.stdout
    assert "  got:      tabel1\n  hint:     did you mean table1?\n" in done.stdout


def test_nothing_is_written_so_anybody_may_ask(finished: Checkout) -> None:
    cache = finished.folder / ".snakemake" / "iocache" / "latest.pkl"
    cache.unlink(missing_ok=True)
    cache.mkdir(parents=True)  # snakemake -n fails to write it, as in a folder that may only be read
    try:
        assert finished.snakemake("-n", "all", check=False).returncode == 1
        assert "Nothing would run for all" in why(finished)
    finally:
        cache.rmdir()
