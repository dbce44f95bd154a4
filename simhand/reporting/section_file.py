"""Sections of the data report in a file, so that the report shows them without making them again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from simhand.errors import TableError
from simhand.reporting.page import Section, section_body
from simhand.reporting.text_files import write_text

SECTIONS = "sections.json"


def write_sections(sections: Sequence[Section], path: Path) -> None:
    """Writes them as JSON: of each its heading, and the rest of it as HTML."""
    write_text(json.dumps([{"heading": each.heading, "html": section_body(each)} for each in sections]), path)


def read_sections(path: Path) -> list[Section]:
    """Reads them.

    Raises:
        TableError: the file is missing or damaged.
    """
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
        return [Section(each["heading"], "", html=each["html"]) for each in records]
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "delete the file and start the workflow again: it will be made anew"
        raise TableError(
            "cannot read the sections of the data report", where=path, got=repr(error), hint=hint
        ) from error
