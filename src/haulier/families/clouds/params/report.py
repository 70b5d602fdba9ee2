"""What the report of a cloud takes."""

from typing import Annotated

from msgspec import Meta, Struct

from haulier.families.clouds.params.rasters import HeightUnit


class CloudReport(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """CLOUD_REPORT."""

    title: Annotated[
        str,
        Meta(
            description="What the page is headed with; empty: the name of the file.", max_length=200
        ),
    ] = ""
    height_unit: HeightUnit = "auto"
