# Stage 12. Takes: the errors and curves of all models, the pools, and the status of everything on the way. Gives: the report.


rule write_report:
    """The table of errors, curves, sheets of similar hands, and what was lost on the way."""
    input:
        metrics=all_results("metrics.json"),
        training=all_results("training.jsonl"),
        runs=expand("results/pretraining/{run}/metrics.jsonl", run=CONFIG.pretraining),
        status=all_shards("results/frames/{source}/{shard}.status.parquet"),
        balanced=all_shards("results/balanced/{source}/{shard}.parquet"),
        keypoints=all_shards("results/keypoints/{source}/{shard}.parquet"),
        crops=all_shards("results/crops/{source}/{shard}.arrow"),
        members=expand("results/pools/{pool}/members.parquet", pool=CONFIG.pools),
        neighbours=all_neighbours(),
    output:
        "results/report/index.html",
        "results/report/table.csv",
        "results/report/table.md",
    log:
        "results/logs/write_report.log",
    benchmark:
        "results/benchmarks/write_report.tsv"
    params:
        settings=CONFIG.report.values(),
        results=RESULTS,
        sources=all_shards("{source}"),
        pools=list(CONFIG.pools),
        runs=list(CONFIG.pretraining),
        code=script_code("write_report.py"),
    resources:
        mem="4GB",
        runtime="1h",
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/write_report.py"
