"""Stage 2: samples the frames of one shard's videos."""

import os

from simhand.frames.sampling import sample_shard
from simhand.frames.settings import SamplingSettings
from simhand.logs import job_log

with job_log(snakemake.log[0]):
    sample_shard(
        snakemake.input.videos,
        snakemake.output.frames,
        snakemake.output.status,
        SamplingSettings(**snakemake.params.settings),
        workers=snakemake.threads,
        memory_mb=snakemake.resources.mem_mb if "SLURM_JOB_ID" in os.environ else None,
    )
