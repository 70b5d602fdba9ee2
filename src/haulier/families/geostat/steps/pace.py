"""How many locations are worked on at once: few enough that progress is told while one waits."""

from typing import Final

from haulier.families.geostat.method.kriging import seconds_a_target
from haulier.families.geostat.method.neighbourhood import Neighbourhood
from haulier.families.geostat.params.pieces import BlockDiscretization

#: So long takes what is done between two reports, about.
REPORT_S: Final = 0.5
LEAST_ROWS: Final = 8
#: What variograms have, as a rule.
STRUCTURES: Final = 2
#: One line of turning bands at one point of one realisation; measured 1.9e-9 to 2.1e-9 s.
LINE_S: Final = 2e-9


def rows_at_once(
    most: int, search: Neighbourhood, block: BlockDiscretization | None, lines: int = 0
) -> int:
    """Give how many locations are worked on between two reports.

    It is guessed from the parameters alone, so that the same request adds up its statistics in
    the same order on every machine.

    Args:
        most: if they are quick.
        search: of each location.
        block: the points that stand for one.
        lines: of turning bands, of all realisations; with them each point of a block is kriged.
    """
    points = 1 if block is None else block.nx * block.ny * block.nz
    limited = search.limits().limited
    if lines:
        one = seconds_a_target(search.max_samples, STRUCTURES, limited=limited)
        seconds = points * (one + LINE_S * lines)
    else:
        seconds = seconds_a_target(search.max_samples, STRUCTURES * points, limited=limited)
    return int(min(max(REPORT_S / seconds, LEAST_ROWS), most))
