"""Stage 12: writes the report."""

from pathlib import Path

from simhand.logs import job_log
from simhand.reporting.inputs import ReportInputs, Result, Run
from simhand.reporting.report import write_report
from simhand.reporting.settings import ReportSettings

files = snakemake.input
results = [
    Result(labelled, run, percent, seed, Path(metrics), Path(training))
    for (labelled, run, percent, seed), metrics, training in zip(
        snakemake.params.results, files.metrics, files.training, strict=True
    )
]
runs = {
    name: Run(Path(metrics), Path(card), Path(pairs))
    for name, metrics, card, pairs in zip(snakemake.params.runs, files.runs, files.cards, files.pairs, strict=True)
}
with job_log(snakemake.log[0]):
    inputs = ReportInputs(results, runs)
    write_report(inputs, ReportSettings(**snakemake.params.settings), Path(snakemake.output[0]).parent)
