"""What can be set about the report."""

from pydantic import Field

from simhand.settings import Settings


class ReportSettings(Settings):
    """The report: tables, curves and sheets of mined neighbours on one page (stage 12)."""

    title: str = Field("simhand", min_length=1, description="the headline of the page")
    queries: int = Field(12, ge=1, description="how many hands each sheet of neighbours (PNG) shows")
    gallery: int = Field(
        100, ge=1, description="how many hands of each pool the page's gallery shows with their similar hands"
    )
    gallery_neighbours: int = Field(
        4, ge=1, description="how many similar hands of each: the first ranks, then some up to the last; 2 kB a hand"
    )
    gallery_frames: int = Field(
        100,
        ge=0,
        description="how many of these hands are shown in their frames too, as are their similar hands; 11 kB a frame",
    )
    cases: int = Field(3, ge=1, description="how many of the best and of the worst predicted hands are drawn")
    seed: int = Field(0, ge=0, description="another seed shows other hands")
