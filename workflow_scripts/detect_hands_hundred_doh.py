"""Stage 3: finds the hands in one shard's frames with the 100DOH detector."""

from functools import partial

from simhand.hands.detect import detect_shard
from simhand.hands.hundred_doh.detector import open_on_one_thread
from simhand.hands.settings import HundredDohExecution, HundredDohSettings
from simhand.logs import job_log

if __name__ == "__main__":  # its workers import this file too
    with job_log(snakemake.log[0]):
        detect_shard(
            snakemake.wildcards.source,
            snakemake.input.frames,
            snakemake.output[0],
            partial(
                open_on_one_thread,
                HundredDohSettings(**snakemake.params.settings),
                HundredDohExecution(**snakemake.params.execution),
                snakemake.input.weights,
            ),
            workers=snakemake.threads,
            leaks=False,
        )
