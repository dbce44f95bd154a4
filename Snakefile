# simhand: from folders of videos to a table of 3D hand pose errors.
#
#   snakemake --cores 2 all                  here
#   snakemake --profile slurm all            on a cluster
#   snakemake --cores 2 all --configfile my.yaml


# 1. What to do: config.yaml, or the file named by --configfile in its place (not on top of it).
if not workflow.configfiles:

    configfile: "config.yaml"


# 2. The sources' videos, as they are now, and what follows from the configuration.
include: "rules/common.smk"
# 3. The stages, in the order of the data.
include: "rules/videos.smk"
include: "rules/frames.smk"
include: "rules/hands.smk"
include: "rules/keypoints.smk"
include: "rules/mining.smk"
include: "rules/hand100m.smk"
include: "rules/pretraining.smk"
include: "rules/finetuning.smk"
include: "rules/reporting.smk"


# 4. What can be asked for.
localrules:
    all,
    data,
    pretrained,


rule all:
    """The report: the table of errors, curves, and the data report. Without an experiment there are no errors in it."""
    default_target: True
    input:
        "results/report/index.html" if RESULTS or CONFIG.pretraining else [],
        "results/report/data/index.html",
        expand("results/pretraining/{run}/encoder.pt", run=CONFIG.pretraining),


rule data:
    """The data half: every pool with its neighbours, and the data report."""
    input:
        all_neighbours(),
        "results/report/data/index.html",


rule pretrained:
    """Every pre-trained encoder."""
    input:
        expand("results/pretraining/{run}/encoder.pt", run=CONFIG.pretraining),
