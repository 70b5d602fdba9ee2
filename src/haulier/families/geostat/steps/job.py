"""What a call of a step knows: the parameters in their type, and the objects as pinned."""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, Generic, TypeVar

import msgspec
import numpy as np

from haulier.core.family import Context
from haulier.core.recipe import StepPlan
from haulier.families.geostat.io.objects import PLACED, GeoObject, load_object
from haulier.families.geostat.kinds import KINDS
from haulier.families.geostat.method.neighbourhood import Neighbourhood
from haulier.families.geostat.method.rotation import FloatArray, rotation_matrix, sphering
from haulier.families.geostat.params.checks import references
from haulier.families.geostat.params.pieces import Parameters
from haulier.families.geostat.params.references import parse_reference
from haulier.families.geostat.params.search import (
    AnyNeighborhood,
    Ellipsoid,
    Rotation,
    SectorNeighborhood,
)

P = TypeVar("P", bound=Parameters)
PREPARE: Final = "prepare"
NEWEST: Final = 0
Pins = Mapping[str, Sequence[Any]]


class Job(Generic[P]):
    """One job, as one call of one of its steps sees it.

    Args:
        step: the step.
        context: of the call.
        pins: of each reference, the id and the version that the job works with; None: as the
            step `prepare` said.
    """

    def __init__(self, step: StepPlan, context: Context, pins: Pins | None = None) -> None:
        self.kind: Final = str(step.params["kind"])
        self.context: Final = context
        params: Any = msgspec.convert(step.params["params"], KINDS[self.kind].params)
        self.params: Final[P] = params
        self._pins = pins
        self._loaded: dict[str, GeoObject] = {}

    @cached_property
    def said(self) -> Mapping[str, Any]:
        """Give what `prepare` said to the later steps."""
        return self.context.values(PREPARE)

    @property
    def pins(self) -> Pins:
        """Give id and version of each reference."""
        pins: Pins = self.said["pins"] if self._pins is None else self._pins
        return pins

    def object(self, at: str, allowed: Collection[str] = PLACED) -> GeoObject:
        """Give the object that a field names, of the version that the job works with.

        Raises:
            Problem: INVALID at the field; it is of another type.
        """
        if at not in self._loaded:
            self._loaded[at] = load_object(self.context, self.reference(at), at=at, allowed=allowed)
        return self._loaded[at]

    def reference(self, at: str) -> str:
        """Give the reference of the version that the job works with.

        It is by id also where the caller's is by path: another object may be there by now.
        """
        id_, version = self.pins[at][:2]
        return parse_reference(references(self.params)[at], at=at).url(str(id_), int(version))

    def newest(self, at: str, allowed: Collection[str] = PLACED) -> GeoObject:
        """Give the newest version of the object that a field names."""
        return load_object(self.context, self.reference(at), at=at, allowed=allowed, version=NEWEST)


def ellipsoid_transform(ellipsoid: Ellipsoid) -> FloatArray:
    """Give the (3, 3) matrix that makes an ellipsoid the unit sphere."""
    ranges = ellipsoid.ellipsoid_ranges
    turn = ellipsoid.rotation or Rotation()
    return sphering(
        np.array([ranges.major, ranges.semi_major, ranges.minor]),
        rotation_matrix(turn.dip_azimuth, turn.dip, turn.pitch),
    )


def neighbourhood_of(said: AnyNeighborhood) -> Neighbourhood:
    """Give the search that parameters ask for."""
    limits = {}
    if isinstance(said, SectorNeighborhood):
        limits = {
            "max_empty_octants": said.max_empty_octants,
            "max_samples_per_octant": said.max_samples_per_octant,
            "max_empty_quadrants": said.max_empty_quadrants,
            "max_samples_per_quadrant": said.max_samples_per_quadrant,
            "max_samples_per_drillhole": said.max_samples_per_drillhole,
            "max_drillholes_per_estimate": said.max_drillholes_per_estimate,
        }
    return Neighbourhood(
        ellipsoid_transform(said.ellipsoid), said.max_samples, said.min_samples or 1, **limits
    )
