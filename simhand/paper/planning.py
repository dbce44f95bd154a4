"""Which of the paper's tables can be made with a configuration, and what each of them is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from simhand.errors import ConfigError
from simhand.finetuning.settings import NO_PRETRAINING
from simhand.mining.settings import NeighbourSettings
from simhand.paper.derived_runs import Runs, derived_run
from simhand.paper.published import PUBLISHED, PublishedLine, PublishedTable
from simhand.paper.settings import PaperSettings
from simhand.paper.tables import Column, Line, PaperTable
from simhand.pretraining.settings import PretrainingSettings


class Configured(NamedTuple):
    """The part of a configuration that the paper's tables are made of."""

    paper: PaperSettings
    runs: Runs  # the named ones
    pools: Mapping[str, NeighbourSettings]


class NothingConfiguredError(ConfigError):
    """Nothing stands for what one of the paper's tables compares: it is not wanted."""


def table_or_reason(name: str, configured: Configured | None) -> tuple[PaperTable | None, str]:
    """A table, or else why it cannot be made though something stands for all its parts; "" where nothing does."""
    try:
        return paper_table(name, configured), ""
    except NothingConfiguredError:
        return None, ""
    except ConfigError as error:
        return None, str(error)


def paper_table(name: str, configured: Configured | None) -> PaperTable:
    """A table (its name in PUBLISHED) with the configured methods, pools and labelled sets; others have no lines.

    Raises:
        NothingConfiguredError: nothing is configured, or there would be no column, or no pre-trained line.
        ConfigError: a line's neighbours are not mined.
    """
    if configured is None:
        raise NothingConfiguredError(
            f"{name} is one of the paper's tables, and nothing stands for what they compare",
            where="experiment.paper",
            expected="methods, pools and labelled sets",
            hint="config.yaml, as shipped, has an example",
        )
    paper = configured.paper
    published = PUBLISHED[name](paper)
    columns = _columns(name, published, paper)
    lines = _configured_lines(name, published, paper)
    headings = [column.heading for column in columns]
    return PaperTable(
        name=name,
        title=published.title,
        note=" ".join(filter(None, (published.note, _stand_ins(columns, lines, published, paper)))),
        headings=published.headings,
        columns_heading=published.columns_heading,
        columns=columns,
        lines=tuple(_made(name, line, headings, configured) for line in lines),
    )


def _columns(name: str, published: PublishedTable, paper: PaperSettings) -> tuple[Column, ...]:
    sets = {labelled for labelled, _ in published.columns.values()}
    if not sets & set(paper.labelled):
        raise NothingConfiguredError(
            f"{name} needs a labelled set",
            where="experiment.paper.labelled",
            expected=" or ".join(sorted(sets)),
            got=", ".join(paper.labelled),
            hint="name the labelled set that stands for it",
        )
    return tuple(
        Column(heading=heading, labelled=paper.labelled[labelled], percent=percent)
        for heading, (labelled, percent) in published.columns.items()
        if labelled in paper.labelled
    )


def _configured_lines(name: str, published: PublishedTable, paper: PaperSettings) -> list[PublishedLine]:
    """The line without pre-training, and those whose method and pool are configured."""
    known = [line for line in published.lines if line.method in paper.methods and line.pool in paper.pools]
    if not known:
        pools = dict.fromkeys(line.pool for line in published.lines if line.pool)
        methods = dict.fromkeys(line.method for line in published.lines if line.method)
        raise NothingConfiguredError(
            f"{name} needs a method and a pool",
            where="experiment.paper",
            expected=f"methods: {' or '.join(methods)}; pools: {' or '.join(pools)}",
            got=f"methods: {', '.join(paper.methods)}; pools: {', '.join(paper.pools)}",
            hint="name the run and the pool that stand for them",
        )
    return [line for line in published.lines if line.method is None or line in known]


def _made(name: str, line: PublishedLine, headings: Sequence[str], configured: Configured) -> Line:
    run_name = NO_PRETRAINING
    if line.method is not None:
        run_name, run = derived_run(line, configured.runs, configured.paper)
        _check_mined(name, run, configured.pools[run.pool])
    errors = tuple(line.errors.get(heading) for heading in headings)
    return Line(words=line.words, run=run_name, published=errors)


def _check_mined(name: str, run: PretrainingSettings, pool: NeighbourSettings) -> None:
    if run.method == "simhand" and run.neighbour_rank not in pool.ranks():
        raise ConfigError(
            f"{name} needs a neighbour that is not mined",
            where=f"pools.{run.pool}",
            expected=f"rank {run.neighbour_rank}",
            got=f"neighbours: {pool.neighbours}, further_ranks: {list(pool.further_ranks)}",
            hint=f"add {run.neighbour_rank} to pools.{run.pool}.further_ranks, or take it from experiment.paper.ranks",
        )


def _stand_ins(
    columns: Iterable[Column], lines: Iterable[PublishedLine], published: PublishedTable, paper: PaperSettings
) -> str:
    """What stands for what, in a sentence."""
    sets = dict.fromkeys(published.columns[column.heading][0] for column in columns)
    pools = dict.fromkeys(line.pool for line in lines if line.pool)
    parts = (
        ("labelled set", {name: paper.labelled[name] for name in sets}),
        ("pool", {name: paper.pools[name] for name in pools}),
    )
    each = (
        f"the {kind} {', '.join(f'{ours} for {theirs}' for theirs, ours in names.items())}" for kind, names in parts
    )
    return f"What stands for the paper's: {'; '.join(each)}."
