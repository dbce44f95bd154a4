# Takes: the tables of the data half; then the errors and curves of all models. Gives: the data report, and stage 12, the
# report, which links to it.


rule write_data_report:
    """From videos to pairs: counts, losses and their reasons, hands, distances, and sheets of similar hands."""
    input:
        status=all_shards("results/frames/{source}/{shard}.status.parquet"),
        hands=video_shards("results/hands/{source}/{shard}.parquet"),
        balanced=all_shards("results/balanced/{source}/{shard}.parquet"),
        crops=all_shards("results/crops/{source}/{shard}.arrow"),
        keypoints=all_shards("results/keypoints/{source}/{shard}.parquet"),
        members=expand("results/pools/{pool}/members.parquet", pool=CONFIG.pools),
        pca=expand("results/pools/{pool}/pca.npz", pool=CONFIG.pools),
        embeddings=expand("results/pools/{pool}/embeddings.npy", pool=CONFIG.pools),
        neighbours=all_neighbours(),
    output:
        "results/report/data/index.html",
        "results/report/data/funnel.parquet",
        "results/report/data/videos.parquet",
        "results/report/data/histograms.parquet",
        "results/report/data/distances.parquet",
        "results/report/data/explained_variance.parquet",
        "results/report/data/chosen.parquet",
    log:
        "results/logs/write_data_report.log",
    benchmark:
        "results/benchmarks/write_data_report.tsv"
    params:
        settings=CONFIG.report.values(),
        shards=all_shards("{source}/{shard}"),
        pools=POOLS,
        code=script_code("write_data_report.py"),
    resources:
        mem="8GB",
        runtime="1h",
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/write_data_report.py"


rule write_report:
    """The table of errors, the curves of training, and the pairs that were contrasted."""
    input:
        metrics=all_results("metrics.json"),
        training=all_results("training.jsonl"),
        runs=expand("results/pretraining/{run}/metrics.jsonl", run=CONFIG.pretraining),
        cards=expand("results/pretraining/{run}/card.json", run=CONFIG.pretraining),
        pairs=expand("results/pretraining/{run}/pairs.npz", run=CONFIG.pretraining),
    output:
        "results/report/index.html",
        ERROR_TABLES,
    log:
        "results/logs/write_report.log",
    benchmark:
        "results/benchmarks/write_report.tsv"
    params:
        settings=CONFIG.report.values(),
        results=RESULTS,
        runs=list(CONFIG.pretraining),
        code=script_code("write_report.py"),
    resources:
        mem="4GB",
        runtime="1h",
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/write_report.py"
