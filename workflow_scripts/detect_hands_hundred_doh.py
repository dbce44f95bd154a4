"""Stage 3: finds the hands in one shard's frames with the 100DOH detector."""

from simhand.hands.hundred_doh.detector import detect_shard_100doh
from simhand.hands.settings import HundredDohExecution, HundredDohSettings
from simhand.logs import job_log

if __name__ == "__main__":  # its workers import this file too
    with job_log(snakemake.log[0]):
        detect_shard_100doh(
            snakemake.wildcards.source,
            snakemake.input.frames,
            snakemake.output[0],
            weights=snakemake.input.weights,
            settings=HundredDohSettings(**snakemake.params.settings),
            execution=HundredDohExecution(**snakemake.params.execution),
            workers=snakemake.threads,
        )
