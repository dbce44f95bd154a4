"""In the place of stage 9: takes one pool's neighbours from the annotations of its sources."""

from simhand.hand100m.released import released_neighbours
from simhand.hand100m.settings import ReleasedSettings
from simhand.logs import job_log

with job_log(snakemake.log[0]):
    released_neighbours(
        snakemake.input.members,
        dict(zip(snakemake.params.sources, snakemake.input.annotations, strict=True)),
        ReleasedSettings(**snakemake.params.settings),
        snakemake.output[0],
        pool=snakemake.wildcards.pool,
    )
