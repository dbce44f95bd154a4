# The other way in, in the place of stages 1 to 6 and, if asked for, 9. Takes: annotations in the official layout and the
# images that they name. Gives: crops, keypoints and statuses as the other stages write them, and annotated neighbours.


rule read_annotations:
    """The annotations of one source as a table, read once for all its shards."""
    input:
        annotation_file,
    output:
        "results/annotations/{annotated}.arrow",
    log:
        "results/logs/read_annotations/{annotated}.log",
    benchmark:
        "results/benchmarks/read_annotations/{annotated}.tsv"
    params:
        code=script_code("read_annotations.py"),
    resources:
        mem=memory(300, mb_per=0.3, of=megabytes()),
        runtime=minutes(10, per=0.01, of=megabytes()),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/read_annotations.py"


rule import_hands:
    """The crops and keypoints of one shard's annotated hands, and how each video's images went."""
    input:
        "results/annotations/{annotated}.arrow",
    output:
        status="results/frames/{annotated}/{shard}.status.parquet",
        balanced="results/balanced/{annotated}/{shard}.parquet",
        crops="results/crops/{annotated}/{shard}.arrow",
        keypoints="results/keypoints/{annotated}/{shard}.parquet",
    log:
        "results/logs/import_hands/{annotated}/{shard}.log",
    benchmark:
        "results/benchmarks/import_hands/{annotated}/{shard}.tsv"
    params:
        images=annotated_images,
        settings=CONFIG.crops.values(ImportSettings),
        code=script_code("import_hands.py"),
    resources:
        mem=importing_memory,
        runtime=minutes(20, per=2, of=megabytes_of_shard),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/import_hands.py"


rule released_neighbours:
    """The annotated similar hands of one pool as its neighbours."""
    input:
        members="results/pools/{pool}/members.parquet",
        annotations=pool_annotations,
    output:
        "results/pools/{pool}/neighbours/released.parquet",
    log:
        "results/logs/released_neighbours/{pool}.log",
    benchmark:
        "results/benchmarks/released_neighbours/{pool}.tsv"
    params:
        sources=pool_sources,
        settings=released_settings,
        code=script_code("released_neighbours.py"),
    resources:
        mem=memory(300, mb_per=4, of=megabytes()),
        runtime=minutes(10, per=0.02, of=megabytes()),
    conda:
        "../envs/cpu.yaml"
    script:
        "../workflow_scripts/released_neighbours.py"
