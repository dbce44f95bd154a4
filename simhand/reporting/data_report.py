"""The data report: from videos to pairs, before any training."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa

from simhand.files import write_parquet
from simhand.reporting.contacts import contact_grid, contacts, detectors_note
from simhand.reporting.data_figures import funnel_figure, hands_figure, pool_figure
from simhand.reporting.data_inputs import DataInputs
from simhand.reporting.data_tables import CHOSEN, CONTACTS, DISTANCES, EXPLAINED_VARIANCE, FUNNEL, HISTOGRAMS, VIDEOS
from simhand.reporting.fingerprints import pool_fingerprints
from simhand.reporting.funnel import failed_videos, funnel, funnel_grid
from simhand.reporting.gallery import gallery
from simhand.reporting.gallery_page import gallery_section
from simhand.reporting.grid import Grid
from simhand.reporting.hand_numbers import HandNumbers, hand_numbers, histograms
from simhand.reporting.neighbours_sheet import neighbours_sheet
from simhand.reporting.page import Section, page
from simhand.reporting.pool_numbers import chosen, distances, explained_variance
from simhand.reporting.section_file import SECTIONS, write_sections
from simhand.reporting.settings import ReportSettings
from simhand.reporting.text_files import write_text
from simhand.reporting.videos_table import videos_table

log = logging.getLogger(__name__)

_LEAD = (
    "From videos to pairs of similar hands: what was found, what was lost on the way, and how similar the pairs are."
)
_FUNNEL = (
    "Each line counts what came so far; the lines with a minus tell what did not come further, and why. Damaged "
    "videos give the frames that could be read."
)
_HANDS = (
    "Left and right should be equally many after balancing. Small boxes give blurred crops. Low scores are doubtful "
    "hands. Many keypoints outside the frame mean hands that its "
    "border cuts: the landmarker guesses what it cannot see, and such hands look alike; min_visible of a pool leaves "
    "them out."
)
_CONTACT = (
    "As the detector sees it: none (nothing), self (the person's own body), other (another person), portable (an "
    "object that can be carried), stationary (one that cannot, like furniture). The last column is the share of hands "
    "whose object was found too. selection.contact keeps only hands in some of these states."
)
_POOL = (
    "The nearest hands of other videos (blue) should lie far below random ones (grey): lines are medians, bands reach "
    "from 5 to 95 %, and distances rise with the rank. PCA should explain nearly all of the variance. A few hands that "
    "are everybody's nearest would spoil the pairs."
)
_FINGERPRINTS = "Pools with the same ones hold the same hands, the same PCA, and the same similar hands."
_ROWS = 200  # of a table on the page; a file beside it holds all


def write_data_report(inputs: DataInputs, settings: ReportSettings, folder: Path) -> None:
    """Writes index.html, and beside it its figures (PNG) and its tables (Parquet, see `simhand.reporting.data_tables`).

    By sections.json the report shows the same sections (`simhand.reporting.section_file`).

    Equal inputs give equal bytes: no dates.

    Raises:
        TableError: an input is missing or damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sections = _sections(inputs, settings, folder)
    write_sections(sections, folder / SECTIONS)
    write_text(page(f"{settings.title}: the data", _LEAD, sections), folder / "index.html")
    log.info("the data report: %s", folder / "index.html")


def _sections(inputs: DataInputs, settings: ReportSettings, folder: Path) -> list[Section]:
    numbers = {
        source: hand_numbers([shard for shard in inputs.shards if shard.source == source]) for source in inputs.sources
    }
    tables = _write_tables(inputs, numbers, settings, folder)
    counts = tables["funnel"]
    funnel_figure(counts, folder / "funnel.png")
    frames = {name: table.to_pandas() for name, table in tables.items()}
    return [
        Section(
            "From videos to pairs", _FUNNEL, [funnel_grid(counts)], [("Hands stage by stage", folder / "funnel.png")]
        ),
        _failed_section(failed_videos(inputs.shards)),
        _hands_section(detectors_note(inputs.shards, tables["contacts"]), frames["videos"], numbers, folder),
        *_contact_sections(tables["contacts"]),
        *_pool_sections(inputs, frames, settings, folder),
    ]


def _write_tables(
    inputs: DataInputs, numbers: Mapping[str, HandNumbers], settings: ReportSettings, folder: Path
) -> dict[str, pa.Table]:
    tables = {
        "funnel": (funnel(inputs), FUNNEL),
        "videos": (videos_table(inputs.shards), VIDEOS),
        "contacts": (contacts(inputs.shards), CONTACTS),
        "histograms": (histograms(numbers), HISTOGRAMS),
        "distances": (distances(inputs.pools, settings.seed), DISTANCES),
        "explained_variance": (explained_variance(inputs.pools), EXPLAINED_VARIANCE),
        "chosen": (chosen(inputs.pools), CHOSEN),
    }
    for name, (table, schema) in tables.items():
        write_parquet(table, folder / f"{name}.parquet", schema)
    return {name: table for name, (table, _) in tables.items()}


def _failed_section(failed: pa.Table) -> Section:
    heading = "Videos that were not read, or only in part"
    if len(failed) == 0:
        return Section(heading, "None.")
    more = f"The first {_ROWS:,} of {len(failed):,}; videos.parquet has them all." if len(failed) > _ROWS else ""
    rows = [[str(cell) for cell in row.values()] for row in failed.slice(0, _ROWS).to_pylist()]
    return Section(heading, more, [Grid(failed.column_names, rows, frozenset({len(failed.column_names) - 1}))])


def _hands_section(origins: str, videos: pd.DataFrame, numbers: Mapping[str, HandNumbers], folder: Path) -> Section:
    pictures = []
    for source, own in numbers.items():
        path = folder / f"hands_{source}.png"
        hands_figure(videos[videos["source"] == source], own, source, path)
        pictures.append((f"Hands of the source {source}", path))
    return Section("Hands", f"{origins} {_HANDS}", pictures=pictures)


def _contact_sections(counts: pa.Table) -> list[Section]:
    grid = contact_grid(counts)
    return [] if grid is None else [Section("What the hands touch", _CONTACT, [grid])]


def _pool_sections(
    inputs: DataInputs, tables: Mapping[str, pd.DataFrame], settings: ReportSettings, folder: Path
) -> list[Section]:
    if not inputs.pools:
        return []
    sections = []
    for pool in inputs.pools:
        numbers, sheet = folder / f"pool_{pool.name}.png", folder / f"neighbours_{pool.name}.png"
        own = {name: table[table["pool"] == pool.name] for name, table in tables.items() if "pool" in table}
        pool_figure(own["distances"], own["explained_variance"], own["chosen"], numbers)
        neighbours_sheet(pool, inputs.crops_folder, settings.queries, settings.seed, sheet)
        pictures = [(f"Distances and variance of the pool {pool.name}", numbers)]
        sections.append(Section(f"Pool {pool.name}", _POOL, pictures=pictures))
    fingerprints = Section("Fingerprints of the pools", _FINGERPRINTS, [pool_fingerprints(inputs.pools)])
    return [*sections, gallery_section(gallery(inputs, settings)), fingerprints]
