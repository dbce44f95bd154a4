"""The base of every stage's settings: typed, documented, immutable, and closed to unknown keys."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """A block of config.yaml, defined in the room of its stage and composed in `simhand.config`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def values(self, part: type[Settings] | None = None) -> dict[str, Any]:
        """The settings as plain JSON values; only those that `part` knows, if one is given."""
        names = set((part or type(self)).model_fields)
        return self.model_dump(mode="json", include=names)
