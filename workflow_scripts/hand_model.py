"""Makes MediaPipe's hand model from the installed package, or takes the user's own."""

from simhand.hands.model import build_task_file, copy_task_file
from simhand.logs import job_log

with job_log(snakemake.log[0]):
    if snakemake.input.own:
        copy_task_file(snakemake.input.own[0], snakemake.output[0], snakemake.params.sha256)
    else:
        build_task_file(snakemake.output[0])
