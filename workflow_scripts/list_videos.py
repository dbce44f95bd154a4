"""Stage 1: writes the list of one shard's videos."""

from simhand.logs import job_log
from simhand.videos.index import write_shard_list

with job_log(snakemake.log[0]):
    write_shard_list(snakemake.params.videos, snakemake.output[0])
