"""Stage 11: computes the errors of one model's predictions."""

from simhand.evaluation.evaluate import evaluate
from simhand.logs import job_log

with job_log(snakemake.log[0]):
    evaluate(snakemake.input[0], snakemake.output[0])
