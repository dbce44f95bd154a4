"""The style and the script of the pages: files beside this one, which are part of what a page is made from."""

from __future__ import annotations

import hashlib
from pathlib import Path

_FOLDER = Path(__file__).parent
_FILES = ("page.css", "gallery.js")


def page_files() -> dict[str, str]:
    """Each file's path in simhand's folder, and a fingerprint of its content: what to compare beside a page's code."""
    digests = {name: hashlib.blake2b((_FOLDER / name).read_bytes(), digest_size=4).hexdigest() for name in _FILES}
    return {f"simhand/reporting/{name}": digest for name, digest in digests.items()}


def page_file(name: str) -> str:
    """The content of one of them."""
    return (_FOLDER / name).read_text(encoding="utf-8")
