"""Stage 3: finds the hands in one shard's frames."""

from simhand.hands.detect import detect_shard
from simhand.hands.settings import DetectionSettings
from simhand.logs import job_log

if __name__ == "__main__":  # its workers import this file too
    with job_log(snakemake.log[0]):
        detect_shard(
            snakemake.wildcards.source,
            snakemake.input.frames,
            snakemake.input.model,
            snakemake.output[0],
            DetectionSettings(**snakemake.params.settings),
            workers=snakemake.threads,
        )
