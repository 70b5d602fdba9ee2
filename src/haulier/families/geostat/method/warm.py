"""Load or compile every kernel of geostatistics, so that the first job does not wait for it."""

from __future__ import annotations

from typing import Final

import numpy as np

from haulier.families.geostat.method.declustering import influence
from haulier.families.geostat.method.ensembles import mean_above, quantiles, summarise
from haulier.families.geostat.method.experimental import experimental_variogram
from haulier.families.geostat.method.kriging import (
    DIAGNOSTICS,
    Kriging,
    Ordinary,
    Targets,
    krige,
    krige_many,
)
from haulier.families.geostat.method.lags import Direction, equal_lags
from haulier.families.geostat.method.neighbourhood import Neighbourhood
from haulier.families.geostat.method.samples import Samples
from haulier.families.geostat.method.search import index_samples
from haulier.families.geostat.method.turning_bands import simulate
from haulier.families.geostat.method.validation import grid_variograms
from haulier.families.geostat.method.variogram import Structure, Variogram
from haulier.families.geostat.method.weighting import idw

#: One model of each way to simulate along a line.
SIMULATED: Final = (("spherical", 0), ("exponential", 0), ("gaussian", 0), ("spheroidal", 3))


def warm() -> None:
    """Do a small example of everything that has kernels.

    Some tens of seconds where nothing is compiled yet, else about one. Set NUMBA_CACHE_DIR to
    keep the compiled kernels where the package's own folder cannot be written to.
    """
    warm_estimation()
    warm_variography()
    warm_simulation()


def warm_estimation() -> None:
    """Krige a few samples in every way, and weigh them by distance."""
    places = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0.5], [0.5, 0.2, 1]])
    samples = Samples(places, np.arange(5.0), np.arange(5), np.ones(5, dtype=np.int64))
    neighbourhood = Neighbourhood(np.eye(3) / 3, 3, max_empty_octants=8, max_samples_per_octant=2)
    variogram = Variogram(0.1, (Structure("spherical", 0.9, (2.0, 2.0, 2.0)),))
    kriging = Kriging(samples, variogram, neighbourhood, Ordinary())
    krige(kriging, Targets(places + 0.1), DIAGNOSTICS)
    many = Samples(places, np.ones((5, 2)), samples.holes)
    krige_many(Kriging(many, variogram, neighbourhood), Targets(places + 0.1))
    idw(samples, neighbourhood, places + 0.1, 2.0)


def warm_variography() -> None:
    """Compare a few pairs, and evaluate a model."""
    places = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    experimental_variogram(places, np.arange(3.0), [Direction(equal_lags(1.0, 2))])
    Variogram(0.1, (Structure("spherical", 0.9, (2.0, 2.0, 2.0)),)).gamma(places)


def warm_simulation() -> None:
    """Simulate at a few places with every kind of line, and weigh samples by a grid."""
    places = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    ranges = (2.0, 2.0, 2.0)
    for model, alpha in SIMULATED:
        variogram = Variogram(0.1, (Structure(model, 0.9, ranges, alpha=alpha),))
        simulate(places, variogram, lines=2, seed=1, realisations=range(1))
    neighbourhood = Neighbourhood(np.eye(3) / 3, 3)
    influence(index_samples(places, neighbourhood), places + 0.1, power=2.0)
    ensemble = np.arange(4.0).reshape(2, 2)
    summarise(ensemble)
    quantiles(ensemble, [0.5])
    mean_above(ensemble, [1.0])
    grid_variograms(np.ones((2, 2, 2)), 1)
