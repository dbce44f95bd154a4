"""Stage 4: chooses as many left as right hands of one shard."""

from simhand.hands.balance import balance_shard
from simhand.hands.settings import BalanceSettings
from simhand.logs import job_log

with job_log(snakemake.log[0]):
    balance_shard(snakemake.input[0], snakemake.output[0], BalanceSettings(**snakemake.params.settings))
