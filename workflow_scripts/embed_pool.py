"""Stage 8: fits the PCA of one pool's keypoints."""

from simhand.logs import job_log
from simhand.mining.pca import embed_pool
from simhand.mining.settings import EmbeddingSettings

with job_log(snakemake.log[0]):
    embed_pool(
        snakemake.input[0],
        EmbeddingSettings(**snakemake.params.settings),
        snakemake.output.pca,
        snakemake.output.embeddings,
        pool=snakemake.wildcards.pool,
    )
