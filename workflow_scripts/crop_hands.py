"""Stage 5: cuts out one shard's kept hands."""

from simhand.hands.crops import crop_shard
from simhand.hands.settings import CropSettings
from simhand.logs import job_log

with job_log(snakemake.log[0]):
    crop_shard(
        snakemake.input.frames,
        snakemake.input.hands,
        snakemake.input.balanced,
        snakemake.output[0],
        CropSettings(**snakemake.params.settings),
    )
