"""Stage 6: finds the keypoints of one shard's crops."""

from simhand.keypoints.keypoints import find_keypoints
from simhand.keypoints.settings import LandmarkSettings
from simhand.logs import job_log

if __name__ == "__main__":  # its workers import this file too
    with job_log(snakemake.log[0]):
        find_keypoints(
            snakemake.input.frames,
            snakemake.input.crops,
            snakemake.input.model,
            snakemake.output[0],
            LandmarkSettings(**snakemake.params.settings),
            workers=snakemake.threads,
        )
