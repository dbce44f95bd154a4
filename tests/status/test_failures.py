from __future__ import annotations

from pathlib import Path

from simhand.status.failures import Failure, ends_of_jobs, read_logs

# As Snakemake 9.27 writes them, here and on Slurm.
LOCAL = """\
[Sun Nov 22 05:50:05 2026]
Error in rule embed_pool:
    message: None
    jobid: 16
    input: results/pools/few/members.parquet
    output: results/pools/few/pca.npz, results/pools/few/embeddings.npy
    log: results/logs/embed_pool/few.log (check log file(s) for error details)
Exiting because a job execution failed. Look above for error messages
"""
STARTED = """\
[Sun Nov 22 05:51:05 2026]
localrule embed_pool:
    input: results/pools/few/members.parquet
    output: results/pools/few/pca.npz, results/pools/few/embeddings.npy
    log: results/logs/embed_pool/few.log
    jobid: 2
    reason: Missing output files: results/pools/few/embeddings.npy
"""
SLURM = """\
[Sun Nov 22 06:10:00 2026]
Error in rule sample_frames:
    message: SLURM-job '7' failed, SLURM status is: 'OUT_OF_MEMORY'. For further error details see the logs.
    jobid: 3
    output: results/frames/a/0of2.arrow, results/frames/a/0of2.status.parquet
    log: results/logs/sample_frames/a/0of2.log, /run/.snakemake/slurm_logs/7.log (check log file(s) for error details)
"""
EMBED = Failure(
    "embed_pool",
    "results/pools/few/pca.npz, results/pools/few/embeddings.npy",
    ("results/logs/embed_pool/few.log",),
    "",
    "Sun Nov 22 05:50:05 2026",
)


def test_a_failed_job_is_told_with_its_outputs_and_logs() -> None:
    assert ends_of_jobs(LOCAL.splitlines()).failed == [EMBED]


def test_on_a_cluster_its_word_and_its_log_are_told_too() -> None:
    (failed,) = ends_of_jobs(SLURM.splitlines()).failed
    assert failed.message.startswith("SLURM-job '7' failed, SLURM status is: 'OUT_OF_MEMORY'")
    assert failed.logs == ("results/logs/sample_frames/a/0of2.log", "/run/.snakemake/slurm_logs/7.log")


def test_a_job_that_is_tried_again_has_not_failed_unless_it_does_so_again() -> None:
    again = f"{SLURM}Trying to restart job 3.\n{LOCAL}"
    assert ends_of_jobs(again.splitlines()).failed == [EMBED]
    twice = ends_of_jobs((again + SLURM).splitlines())
    assert [failed.rule for failed in twice.failed] == ["embed_pool", "sample_frames"]


def test_what_was_made_since_is_no_failure_and_what_failed_since_is_one(tmp_path: Path) -> None:
    """Its files may have been removed since, and wait to be made again."""
    (tmp_path / "2026-11-22T055005.1.snakemake.log").write_text(LOCAL)
    made = tmp_path / "2026-11-22T055105.1.snakemake.log"
    made.write_text(STARTED)  # and killed, or at work
    assert list(read_logs(tmp_path)) == [EMBED]
    made.write_text(f"{STARTED}Finished jobid: 2 (Rule: embed_pool)\n")
    assert list(read_logs(tmp_path)) == []
    (tmp_path / "2026-11-22T055205.1.snakemake.log").write_text(LOCAL)
    assert list(read_logs(tmp_path)) == [EMBED]


def test_the_newest_call_comes_first_and_may_be_the_only_one(tmp_path: Path) -> None:
    (tmp_path / "2026-11-22T055005.1.snakemake.log").write_text(LOCAL)
    (tmp_path / "2026-11-22T061000.1.snakemake.log").write_text(SLURM)
    assert [failed.rule for failed in read_logs(tmp_path)] == ["sample_frames", "embed_pool"]
    assert [failed.rule for failed in read_logs(tmp_path, last_only=True)] == ["sample_frames"]
    assert list(read_logs(tmp_path / "nowhere")) == []
