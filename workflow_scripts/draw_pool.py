"""Stage 7: draws the hands of one pool."""

from simhand.logs import job_log
from simhand.mining.pool import ShardTables, draw_pool
from simhand.mining.settings import DrawSettings

files = zip(
    snakemake.params.shards, snakemake.input.status, snakemake.input.crops, snakemake.input.keypoints, strict=True
)
shards = [ShardTables(*shard.split("/"), *paths) for shard, *paths in files]
with job_log(snakemake.log[0]):
    draw_pool(shards, DrawSettings(**snakemake.params.settings), snakemake.output[0], pool=snakemake.wildcards.pool)
