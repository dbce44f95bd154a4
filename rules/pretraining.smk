# Stage 10. Takes: a pool, its neighbours and crops. Gives: a pre-trained encoder. A run resumes from its own checkpoints,
# which lie beside its outputs in a folder that no rule declares.


def run_members(wildcards):
    return f"results/pools/{CONFIG.pretraining[wildcards.run].pool}/members.parquet"


def run_neighbours(wildcards):
    run = CONFIG.pretraining[wildcards.run]
    return neighbours_of_pool(run.pool) if run.method == "simhand" else []


def run_crops(wildcards):
    pool = CONFIG.pretraining[wildcards.run].pool
    return shards_of_pool("results/crops/{source}/{shard}.arrow", pool)


def run_weights(wildcards):
    weights = CONFIG.pretraining[wildcards.run].initial_weights
    return [str(weights)] if weights else []


def run_settings(wildcards):
    return CONFIG.pretraining[wildcards.run].model_dump_json()


rule pretrain:
    """One pre-training run: the encoder and the course of its loss."""
    input:
        members=run_members,
        neighbours=run_neighbours,
        crops=run_crops,
        weights=run_weights,
    output:
        encoder="results/pretraining/{run}/encoder.pt",
        card="results/pretraining/{run}/card.json",
        metrics="results/pretraining/{run}/metrics.jsonl",
    log:
        "results/logs/pretrain/{run}.log",
    benchmark:
        "results/benchmarks/pretrain/{run}.tsv"
    conda:
        "../envs/gpu.yaml"
    threads: 8
    resources:
        mem="16GB",
        runtime="24h",
        gpu=1,
    params:
        settings=run_settings,
        checkpoints=subpath(output.encoder, parent=True),
        code=module_code("simhand.pretraining.__main__"),
    shell:
        "python -m simhand.pretraining --settings {params.settings:q} --members {input.members}"
        " --neighbours {input.neighbours} --crops results/crops --encoder {output.encoder}"
        " --metrics {output.metrics} --checkpoints {params.checkpoints}/checkpoints 2>&1 | tee {log}"
