"""Factor eight kriging systems at once: one system a lane, two rows and two columns a time."""

from __future__ import annotations

from haulier.families.geostat.method.lanes import (
    WIDTH,
    Lanes,
    load,
    negative,
    plus_product,
    product,
    quotient,
    root,
    splat,
    store,
    where_above,
)
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.kernels import kernel

#: Doubles in a square of 2 x 2 entries in all lanes.
SQUARE = 4 * WIDTH


@kernel
def square_at(row: int, column: int, half: int) -> int:
    """Give where the square of two rows and two columns begins, in doubles.

    Squares of the triangle come first, row by row; then those of right-hand sides, each two of
    which are a row that is `half` squares wide.

    Args:
        row: of squares: row // 2 of entries.
        column: of squares.
        half: rows of squares in the triangle.
    """
    if row < half:
        return (row * (row + 1) // 2 + column) * SQUARE
    return (half * (half + 1) // 2 + (row - half) * half + column) * SQUARE


@kernel
def factor(a: FloatArray, half: int, sides: int, least: FloatArray, low: FloatArray) -> None:
    """Factor C = L L' in place, and solve L x = b for the right-hand sides that lie below it.

    Where a pivot is not above `least`, 1 takes its place so that no lane meets infinity, and
    `low` of that lane becomes 1: what comes out of that lane means nothing.

    Args:
        a: squares as `square_at` places them: C's lower triangle, and right-hand sides as rows.
        half: rows of squares in C.
        sides: rows of squares of right-hand sides.
        least: (8,) the smallest pivot that a lane may have.
        low: (8,) out: 1 where a pivot was not above it, else 0.

    Source:
        Golub & Van Loan (2013), Matrix Computations, section 4.2 (Cholesky by blocks).
    """
    limit = load(least, 0)
    one = splat(1.0)
    found_low = splat(0.0)
    for row in range(half + sides):
        across = min(row, half)
        for column in range(across):
            _panel(a, square_at(row, 0, half), square_at(column, 0, half), column)
        if row < half:
            found_low = _corner(a, square_at(row, 0, half), row, limit, one, found_low)
    store(low, 0, found_low)


@kernel
def _panel(a: FloatArray, mine: int, other: int, column: int) -> None:
    """Take from a square what lies left of it, and divide by the pivots of its columns."""
    here = mine + column * SQUARE
    s00, s01 = load(a, here), load(a, here + WIDTH)
    s10, s11 = load(a, here + 2 * WIDTH), load(a, here + 3 * WIDTH)
    for t in range(column):
        x, y = mine + t * SQUARE, other + t * SQUARE
        x00, x01 = negative(load(a, x)), negative(load(a, x + WIDTH))
        x10, x11 = negative(load(a, x + 2 * WIDTH)), negative(load(a, x + 3 * WIDTH))
        y00, y01 = load(a, y), load(a, y + WIDTH)
        y10, y11 = load(a, y + 2 * WIDTH), load(a, y + 3 * WIDTH)
        s00 = plus_product(x01, y01, plus_product(x00, y00, s00))
        s01 = plus_product(x01, y11, plus_product(x00, y10, s01))
        s10 = plus_product(x11, y01, plus_product(x10, y00, s10))
        s11 = plus_product(x11, y11, plus_product(x10, y10, s11))
    pivots = other + column * SQUARE
    # A factored corner holds: 1/pivot of its first row, 1/pivot of its second, the entry below.
    first, second, below = load(a, pivots), load(a, pivots + 3 * WIDTH), load(a, pivots + 2 * WIDTH)
    s00, s10 = product(s00, first), product(s10, first)
    s01 = product(plus_product(negative(s00), below, s01), second)
    s11 = product(plus_product(negative(s10), below, s11), second)
    store(a, here, s00)
    store(a, here + WIDTH, s01)
    store(a, here + 2 * WIDTH, s10)
    store(a, here + 3 * WIDTH, s11)


@kernel
def _corner(a: FloatArray, mine: int, row: int, limit: Lanes, one: Lanes, low: Lanes) -> Lanes:
    """Factor a square on the diagonal; of pivots, it keeps the inverse."""
    here = mine + row * SQUARE
    s00, s10, s11 = load(a, here), load(a, here + 2 * WIDTH), load(a, here + 3 * WIDTH)
    for t in range(row):
        x = mine + t * SQUARE
        x00, x01 = load(a, x), load(a, x + WIDTH)
        x10, x11 = load(a, x + 2 * WIDTH), load(a, x + 3 * WIDTH)
        n10, n11 = negative(x10), negative(x11)
        s00 = plus_product(negative(x01), x01, plus_product(negative(x00), x00, s00))
        s10 = plus_product(n11, x01, plus_product(n10, x00, s10))
        s11 = plus_product(n11, x11, plus_product(n10, x10, s11))
    low = where_above(s00, limit, low, one)
    first = quotient(one, root(where_above(s00, limit, s00, one)))
    below = product(s10, first)
    s11 = plus_product(negative(below), below, s11)
    low = where_above(s11, limit, low, one)
    store(a, here, first)
    store(a, here + 2 * WIDTH, below)
    store(a, here + 3 * WIDTH, quotient(one, root(where_above(s11, limit, s11, one))))
    return low


@kernel
def along(a: FloatArray, half: int, one: int, other: int) -> Lanes:
    """Give the product of two right-hand sides, by their number."""
    x = square_at(half + one // 2, 0, half) + one % 2 * 2 * WIDTH
    y = square_at(half + other // 2, 0, half) + other % 2 * 2 * WIDTH
    even, odd = splat(0.0), splat(0.0)
    for column in range(half):
        i, j = x + column * SQUARE, y + column * SQUARE
        even = plus_product(load(a, i), load(a, j), even)
        odd = plus_product(load(a, i + WIDTH), load(a, j + WIDTH), odd)
    return plus_product(odd, splat(1.0), even)


@kernel
def back_substitute(a: FloatArray, half: int, x: FloatArray) -> None:
    """Solve L' x = b in place.

    Args:
        a: squares that `factor` has factored.
        half: rows of squares in its triangle.
        x: (2 half * 8) b, and then x: one entry of all lanes after the other.
    """
    for row in range(half - 1, -1, -1):
        at = square_at(row, row, half)
        lower = product(load(x, (2 * row + 1) * WIDTH), load(a, at + 3 * WIDTH))
        upper = plus_product(negative(lower), load(a, at + 2 * WIDTH), load(x, 2 * row * WIDTH))
        upper = product(upper, load(a, at))
        store(x, 2 * row * WIDTH, upper)
        store(x, (2 * row + 1) * WIDTH, lower)
        upper, lower = negative(upper), negative(lower)
        for column in range(row):
            at, to = square_at(row, column, half), 2 * column * WIDTH
            left = plus_product(upper, load(a, at), load(x, to))
            store(x, to, plus_product(lower, load(a, at + 2 * WIDTH), left))
            right = plus_product(upper, load(a, at + WIDTH), load(x, to + WIDTH))
            store(x, to + WIDTH, plus_product(lower, load(a, at + 3 * WIDTH), right))
