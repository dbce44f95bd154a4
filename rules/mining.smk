# Stages 7 to 9. Takes: crops and keypoints of all shards of a pool's sources. Gives: the pool, its pose space, and for each
# hand the most similar hands of other videos.


rule draw_pool:
    """The hands of one pool, drawn from its sources by a stable hash."""
    input:
        crops=pool_crops,
        keypoints=pool_keypoints,
        status=pool_status,
    output:
        "results/pools/{pool}/members.parquet",
    log:
        "results/logs/draw_pool/{pool}.log",
    benchmark:
        "results/benchmarks/draw_pool/{pool}.tsv"
    params:
        shards=pool_shards,
        settings=draw_settings,
        code=script_code("draw_pool.py"),
    resources:
        mem=memory(500, mb_per=8, of=megabytes("keypoints")),
        runtime=minutes(20, per=0.05, of=megabytes("keypoints")),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/draw_pool.py"


rule embed_pool:
    """The PCA of one pool's keypoints, and each hand's place in its space."""
    input:
        "results/pools/{pool}/members.parquet",
    output:
        pca="results/pools/{pool}/pca.npz",
        embeddings="results/pools/{pool}/embeddings.npy",
    log:
        "results/logs/embed_pool/{pool}.log",
    benchmark:
        "results/benchmarks/embed_pool/{pool}.tsv"
    params:
        settings=embedding_settings,
        code=script_code("embed_pool.py"),
    resources:
        mem=memory(500, mb_per=10, of=megabytes()),
        runtime=minutes(10, per=0.05, of=megabytes()),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/embed_pool.py"


rule mine_neighbours:
    """The most similar hands of other videos, for one shard of a pool's queries."""
    input:
        members="results/pools/{pool}/members.parquet",
        embeddings="results/pools/{pool}/embeddings.npy",
    output:
        "results/pools/{pool}/neighbours/{query}.parquet",
    log:
        "results/logs/mine_neighbours/{pool}/{query}.log",
    benchmark:
        "results/benchmarks/mine_neighbours/{pool}/{query}.tsv"
    params:
        settings=neighbour_settings,
        code=script_code("mine_neighbours.py"),
    threads: 8
    resources:
        mem=mining_memory,
        runtime=minutes(20, per=0.05, of=million_neighbours),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/mine_neighbours.py"
