"""The base of every stage's settings: typed, documented, immutable, and closed to unknown keys."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """A block of config.yaml. Each stage's block is defined in the stage's own room and composed in `simhand.config`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
