"""Choose among candidates: the nearest, or the nearest that break no limit."""

from __future__ import annotations

import numpy as np

from haulier.families.geostat.method.neighbourhood import OCTANTS, QUADRANTS, Limits
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.samples import IntArray
from haulier.families.kernels import kernel

#: A radius that takes so many samples too many is near enough: they are put back one by one.
TOO_MANY = 2
#: So many guesses go by how numbers grow; if that does not do, the radius is halved in between.
CLEVER_GUESSES = 10
MOST_GUESSES = 80
#: Where more than so many too many are as near as the last, others choose.
MOST_PUT_BACK = 64
MANY_TIES = -1


@kernel
def count_within(squares: FloatArray, limit: float) -> int:
    """Count the squared distances that are not above a limit."""
    total = 0
    for j in range(len(squares)):
        if squares[j] <= limit:
            total += 1
    return total


@kernel
def nearest(
    squares: FloatArray,
    ranks: IntArray,
    most: int,
    limit: float,
    guess: float,
    chosen: IntArray,
) -> tuple[int, float]:
    """Choose the nearest candidates; nothing is sorted, a radius that fits is looked for.

    Args:
        squares: (c,) squared distances.
        ranks: (c,) sample numbers: of equally far ones the lower is chosen.
        most: how many are chosen at most.
        limit: the largest squared distance.
        guess: a squared radius that may fit, such as that of a target nearby.
        chosen: out: candidates in rising order.

    Returns:
        How many were chosen, or MANY_TIES where so many are equally far that `nearest_allowed`
        chooses faster; and a squared radius to guess next time.
    """
    within = count_within(squares, limit)
    if within <= most:
        return _take(squares, limit, chosen), guess
    radius = _fitting_radius(squares, most, within, limit, guess)
    taken = _take(squares, radius, chosen)
    if taken > most + MOST_PUT_BACK:
        return MANY_TIES, radius
    while taken > most:
        taken = _put_back(squares, ranks, chosen, taken)
    return taken, radius


@kernel
def _fitting_radius(
    squares: FloatArray, most: int, within: int, limit: float, guess: float
) -> float:
    """Find a squared radius that holds as many candidates as wanted, or hardly more if it can be.

    Args:
        squares: (c,) squared distances.
        most: how many are wanted.
        within: how many the limit holds: more.
        limit: the largest squared distance.
        guess: a squared radius that may fit.
    """
    low, high, fewer, more = 0.0, limit, 0, within
    wanted = most + 0.5 * TOO_MANY
    radius = guess if 0.0 < guess < limit else 0.5 * limit
    for turn in range(MOST_GUESSES):
        number = count_within(squares, radius)
        if number < most:
            low, fewer = radius, number
        else:
            high, more = radius, number
            if number <= most + TOO_MANY:
                break
        if fewer > 0 and more < within:
            radius = low + (high - low) * (wanted - fewer) / (more - fewer)
        else:  # the number within a radius grows as its cube, its square's power of 1.5
            radius *= 1.0 + 0.67 * (wanted - number) / max(number, 1)
        if turn >= CLEVER_GUESSES or not low < radius < high:
            radius = low + 0.5 * (high - low)
            if not low < radius < high:
                break
    return high


@kernel
def _take(squares: FloatArray, limit: float, chosen: IntArray) -> int:
    """Choose all within a limit. `chosen` has room for all candidates."""
    taken = 0
    for j in range(len(squares)):
        chosen[taken] = j
        taken += 1 if squares[j] <= limit else 0
    return taken


@kernel
def _put_back(squares: FloatArray, ranks: IntArray, chosen: IntArray, taken: int) -> int:
    """Give back the farthest; of equally far ones, the one with the highest number."""
    worst = 0
    for i in range(1, taken):
        mine, other = chosen[i], chosen[worst]
        if squares[mine] > squares[other] or (
            squares[mine] == squares[other] and ranks[mine] > ranks[other]
        ):
            worst = i
    for i in range(worst, taken - 1):
        chosen[i] = chosen[i + 1]
    return taken - 1


@kernel
def nearest_allowed(
    squares: FloatArray,
    ranks: IntArray,
    sectors: IntArray,
    holes: IntArray,
    limit: float,
    limits: Limits,
    chosen: IntArray,
) -> int:
    """Choose the nearest candidates that break no limit, in turn by distance.

    Args:
        squares: (c,) squared distances.
        ranks: (c,) sample numbers, of equally far ones the lower comes first.
        sectors: (c,) octant 0 to 7 of each; the quadrant is what its two low bits say.
        holes: (c,) drillhole of each.
        limit: the largest squared distance.
        limits: of the neighbourhood.
        chosen: out: candidates in rising order.

    Returns:
        How many were chosen.
    """
    heap = np.empty(len(squares), np.int64)
    size = _take(squares, limit, heap)
    for i in range(size // 2 - 1, -1, -1):
        _sink(heap, size, i, squares, ranks)
    by_octant, by_quadrant = np.zeros(OCTANTS, np.int64), np.zeros(QUADRANTS, np.int64)
    # Where no sector has room left, or samples left, the rest need not be looked at.
    left = min(
        limits.max_samples,
        _room_in(heap[:size], sectors, OCTANTS, limits.per_octant),
        _room_in(heap[:size], sectors, QUADRANTS, limits.per_quadrant),
    )
    taken = 0
    while size > 0 and taken < left:
        mine = heap[0]
        size -= 1
        heap[0] = heap[size]
        _sink(heap, size, 0, squares, ranks)
        octant, quadrant = sectors[mine], sectors[mine] % QUADRANTS
        if by_octant[octant] >= limits.per_octant or by_quadrant[quadrant] >= limits.per_quadrant:
            continue
        if not _hole_allowed(holes, chosen, taken, holes[mine], limits):
            continue
        by_octant[octant] += 1
        by_quadrant[quadrant] += 1
        chosen[taken] = mine
        taken += 1
    for i in range(1, taken):  # into rising order
        mine, j = chosen[i], i
        while j > 0 and chosen[j - 1] > mine:
            chosen[j] = chosen[j - 1]
            j -= 1
        chosen[j] = mine
    return taken


@kernel
def _room_in(candidates: IntArray, sectors: IntArray, number: int, most: int) -> int:
    """Give how many candidates can be taken at most, with so many of each sector."""
    available = np.zeros(number, np.int64)
    for candidate in candidates:
        available[sectors[candidate] % number] += 1
    room = 0
    for sector in range(number):
        room += min(available[sector], most)
    return room


@kernel
def _hole_allowed(holes: IntArray, chosen: IntArray, taken: int, hole: int, limits: Limits) -> bool:
    """Say whether one more sample of a drillhole breaks no limit."""
    if limits.per_hole > taken and limits.holes > taken:
        return True
    of_it, others = 0, 0
    for i in range(taken):
        mine = holes[chosen[i]]
        if mine == hole:
            of_it += 1
            continue
        new = 1
        for j in range(i):
            if holes[chosen[j]] == mine:
                new = 0
                break
        others += new
    return of_it < limits.per_hole and others + 1 <= limits.holes


@kernel
def _sink(heap: IntArray, size: int, at: int, squares: FloatArray, ranks: IntArray) -> None:
    """Let a candidate sink in the heap until none below it is nearer."""
    while True:
        least = at
        for child in range(2 * at + 1, min(2 * at + 3, size)):
            a, b = heap[child], heap[least]
            if squares[a] < squares[b] or (squares[a] == squares[b] and ranks[a] < ranks[b]):
                least = child
        if least == at:
            return
        heap[at], heap[least] = heap[least], heap[at]
        at = least
