"""Stage 12: writes one of the paper's tables, our errors beside those that it publishes."""

from pathlib import Path

from simhand.logs import job_log
from simhand.paper.tables import PaperTable
from simhand.reporting.inputs import PaperErrors
from simhand.reporting.paper_page import write_paper_table

metrics, predictions = (
    [Path(path) for path in files] for files in (snakemake.input.metrics, snakemake.input.predictions)
)
with job_log(snakemake.log[0]):
    errors = PaperErrors.of(PaperTable(**snakemake.params.table), metrics, predictions)
    write_paper_table(errors, Path(snakemake.output[0]).parent)
