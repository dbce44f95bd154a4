"""In the place of stages 2 to 6: makes crops and keypoints of one shard's annotated hands."""

from simhand.hand100m.importing import ImportedShard, import_hands
from simhand.hand100m.settings import ImportSettings
from simhand.logs import job_log

files = snakemake.output
with job_log(snakemake.log[0]):
    import_hands(
        snakemake.input[0],
        snakemake.params.images,
        ImportedShard(files.status, files.balanced, files.crops, files.keypoints),
        ImportSettings(**snakemake.params.settings),
        source=snakemake.wildcards.annotated,
        shard=snakemake.wildcards.shard,
    )
