"""Stage 12: writes the report."""

from pathlib import Path

from simhand.logs import job_log
from simhand.reporting.inputs import Pool, ReportInputs, Result, Shard
from simhand.reporting.report import write_report
from simhand.reporting.settings import ReportSettings

files = snakemake.input
results = [
    Result(labelled, run, percent, seed, Path(metrics), Path(training))
    for (labelled, run, percent, seed), metrics, training in zip(
        snakemake.params.results, files.metrics, files.training, strict=True
    )
]
shards = [
    Shard(source, Path(status), Path(balanced), Path(keypoints))
    for source, status, balanced, keypoints in zip(
        snakemake.params.sources, files.status, files.balanced, files.keypoints, strict=True
    )
]
pools = [
    Pool(name, Path(members), [Path(path) for path in files.neighbours if f"/pools/{name}/" in path])
    for name, members in zip(snakemake.params.pools, files.members, strict=True)
]
runs = dict(zip(snakemake.params.runs, map(Path, files.runs), strict=True))
with job_log(snakemake.log[0]):
    inputs = ReportInputs(results, runs, shards, pools, Path("results/crops"))
    write_report(inputs, ReportSettings(**snakemake.params.settings), Path(snakemake.output[0]).parent)
