"""Stage 12: writes the report."""

from pathlib import Path

from simhand.logs import job_log
from simhand.paper.tables import PaperTable
from simhand.reporting.inputs import PaperErrors, ReportInputs, Result, Run
from simhand.reporting.report import write_report
from simhand.reporting.settings import ReportSettings

files, params = snakemake.input, snakemake.params
results = [
    Result(*result, *map(Path, paths))
    for result, *paths in zip(params.results, files.metrics, files.predictions, files.training, strict=True)
]
runs = {
    name: Run(*map(Path, paths)) for name, *paths in zip(params.runs, files.runs, files.cards, files.pairs, strict=True)
}
of_paper = ([Path(path) for path in own] for own in (files.paper, files.paper_predictions))
paper = PaperErrors.of(PaperTable(**params.table), *of_paper) if params.table else None
hands = {path.removeprefix("results/report/hands_").removesuffix(".png"): Path(path) for path in files.hands}
with job_log(snakemake.log[0]):
    inputs = ReportInputs(
        results, runs, Path(files.data), paper, hands, params.no_table, Path("results/benchmarks"), snakemake.config
    )
    write_report(inputs, ReportSettings(**params.settings), Path(snakemake.output[0]).parent)
