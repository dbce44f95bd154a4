"""Stage 3: finds the hands in one shard's frames with MediaPipe."""

from functools import partial

from simhand.hands.detect import detect_shard
from simhand.hands.mediapipe_detector import MediaPipeDetector
from simhand.hands.settings import MediaPipeSettings
from simhand.logs import job_log

if __name__ == "__main__":  # its workers import this file too
    with job_log(snakemake.log[0]):
        detect_shard(
            snakemake.wildcards.source,
            snakemake.input.frames,
            snakemake.output[0],
            partial(MediaPipeDetector, MediaPipeSettings(**snakemake.params.settings), snakemake.input.model),
            workers=snakemake.threads,
        )
