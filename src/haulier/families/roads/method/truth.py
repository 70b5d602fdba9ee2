"""Roads whose matches are known: a reference cut up anew, bent, and with segments withheld."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from haulier.families.roads.method.lines import (
    BoolArray,
    FloatArray,
    IntArray,
    Lines,
    lengths,
    take,
)
from haulier.families.roads.method.network import Customer, Reference
from haulier.families.roads.method.perturb import LEVELS, Level, perturb
from haulier.families.roads.method.projection import centred_on
from haulier.families.roads.method.topology import Int32Array, build_topology
from haulier.families.roads.method.walks import Parts, draw, split_some, walk

__all__ = ["LEVELS", "Level", "Truth", "World", "make_truth", "only_roads"]

WITHHELD: Final = 0.12  # share of segments taken from the reference


@dataclass(frozen=True, slots=True)
class Truth:
    """The true stretches; (t,) each.

    Attributes:
        road: row in the customer's roads.
        segment: row in the reference that is left.
        segment_from: fraction 0-1.
        segment_to: fraction, never less than `segment_from`.
        forward: True where the road runs along the segment.
    """

    road: Int32Array
    segment: Int32Array
    segment_from: FloatArray
    segment_to: FloatArray
    forward: BoolArray


@dataclass(frozen=True, slots=True)
class World:
    """A customer, the reference to match it to, and the right answer.

    Attributes:
        customer: m roads.
        reference: what is left of the reference.
        truth: stretches on segments that are left; a road without any is truly absent.
        kept: rows of the original reference that are left.
    """

    customer: Customer
    reference: Reference
    truth: Truth
    kept: IntArray


def make_truth(reference: Reference, level: Level, *, seed: int) -> World:
    """Make a customer's roads from a reference, with the truth of every match.

    Args:
        reference: s segments.
        level: how the other map differs.
        seed: the same seed cuts the same roads and withholds the same segments at every level.

    Returns:
        Roads made by walks over the connectors (chance .5, turns below 45 degrees, at most
        2.5 km), 15 % cut at a random place, half of them turned round; the reference without
        12 % of its segments; and what belongs to what.

    Source:
        Doucette et al. (2012), PERTY, for the bending; levels after the offsets of real maps.
    """
    random = np.random.default_rng(seed)
    projection = centred_on(reference.lines.coordinates)
    xy = Lines(projection.forward(reference.lines.coordinates), reference.lines.offsets)
    parts = split_some(walk(build_topology(reference, xy).edges, xy, random), random)
    stay = random.random(len(xy)) >= WITHHELD
    bent = perturb(draw(parts, xy), level, random)
    degrees = Lines(projection.inverse(bent.coordinates), bent.offsets)
    return World(
        Customer(degrees, np.ones(len(degrees), np.bool_)),
        keep_segments(reference, stay),
        _known(parts, stay, lengths(xy)),
        np.flatnonzero(stay),
    )


def only_roads(world: World, rows: IntArray) -> World:
    """Leave a customer with some of its roads, as one who has the main roads only.

    Args:
        world: of m roads.
        rows: (k,) roads that stay, rising.

    Returns:
        The same reference, k roads and their truth.
    """
    number = np.full(len(world.customer.lines), -1, np.int32)
    number[rows] = np.arange(len(rows), dtype=np.int32)
    stays = number[world.truth.road] >= 0
    known = world.truth
    return replace(
        world,
        customer=Customer(take(world.customer.lines, rows), world.customer.navigable[rows]),
        truth=Truth(
            number[known.road[stays]],
            known.segment[stays],
            known.segment_from[stays],
            known.segment_to[stays],
            known.forward[stays],
        ),
    )


def keep_segments(reference: Reference, stay: BoolArray) -> Reference:
    """Leave out segments; connectors keep their codes.

    Args:
        reference: s segments.
        stay: (s,) True for those that are left.
    """
    counts = np.diff(reference.connector_offsets)
    inside = np.repeat(stay, counts)

    def column(values: IntArray | None) -> IntArray | None:
        return None if values is None else values[stay]

    names = reference.names
    return replace(
        reference,
        lines=take(reference.lines, stay),
        connector_at=reference.connector_at[inside],
        connector_id=reference.connector_id[inside],
        connector_offsets=np.concatenate([np.zeros(1, np.int64), np.cumsum(counts[stay])]),
        road_class=column(reference.road_class),
        names=None if names is None else tuple(n for n, s in zip(names, stay, strict=True) if s),
        level=column(reference.level),
        one_way=column(reference.one_way),
    )


def _known(parts: Parts, stay: BoolArray, segment_m: FloatArray) -> Truth:
    """Turn the parts on segments that are left into fractions."""
    left = stay[parts.segment]
    segment, begin, end = parts.segment[left], parts.begin_m[left], parts.end_m[left]
    whole = np.maximum(segment_m[segment], 1e-9)
    number = np.cumsum(stay) - 1
    return Truth(
        parts.road[left],
        number[segment].astype(np.int32),
        np.clip(np.minimum(begin, end) / whole, 0.0, 1.0),
        np.clip(np.maximum(begin, end) / whole, 0.0, 1.0),
        end >= begin,
    )
