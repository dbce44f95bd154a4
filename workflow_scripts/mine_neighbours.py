"""Stage 9: finds the most similar hands of other videos, for one shard of a pool's queries."""

from simhand.logs import job_log
from simhand.mining.knn import mine_neighbours
from simhand.mining.settings import NeighbourSettings

with job_log(snakemake.log[0]):
    mine_neighbours(
        snakemake.input.embeddings,
        snakemake.input.members,
        NeighbourSettings(**snakemake.params.settings),
        int(snakemake.wildcards.query.split("of")[0]),
        snakemake.output[0],
        pool=snakemake.wildcards.pool,
        workers=snakemake.threads,
    )
