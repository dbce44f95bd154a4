"""What can be set about the report."""

from pydantic import Field

from simhand.settings import Settings


class ReportSettings(Settings):
    """The report: tables, curves and sheets of mined neighbours on one page (stage 12)."""

    title: str = Field("simhand", min_length=1, description="the headline of the page")
    queries: int = Field(12, ge=1, description="how many hands each sheet shows with their mined neighbours")
    cases: int = Field(3, ge=1, description="how many of the best and of the worst predicted hands are drawn")
    seed: int = Field(0, ge=0, description="another seed shows other hands")
