"""Reads the annotations of one source."""

from simhand.hand100m.reading import read_annotations
from simhand.logs import job_log

with job_log(snakemake.log[0]):
    read_annotations(snakemake.input[0], snakemake.output[0])
