"""Stage 12: draws predicted hands over evaluation images."""

from pathlib import Path

from simhand.logs import job_log
from simhand.reporting.hands_sheet import Drawn, hands_sheet

files, params = snakemake.input, snakemake.params
models = [
    Drawn(run, seed, Path(metrics), Path(predictions))
    for (_, run, _, seed), metrics, predictions in zip(params.results, files.metrics, files.predictions, strict=True)
]
with job_log(snakemake.log[0]):
    title = f"{snakemake.wildcards.labelled}, {params.results[0][2]} % of the labels"
    hands_sheet(models, Path(params.folder), params.cases, title, Path(snakemake.output[0]))
