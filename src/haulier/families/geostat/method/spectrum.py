"""What each line of the turning bands gets: a model's ranges or frequencies, drawn at random."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from scipy.fft import dct
from scipy.special import gammaincinv

from haulier.families.geostat.method import curves
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.spread import CHOICE_BASE, RADIUS_BASE, even_numbers
from haulier.families.kernels import kernel

#: The processes along a line; see `turning_bands.add_lines`.
RAMPS: Final = 0
CUBICS: Final = 1
WAVES: Final = 2
PROCESSES: Final = {
    curves.SPHERICAL: RAMPS,
    curves.EXPONENTIAL: RAMPS,
    curves.CUBIC: CUBICS,
    curves.GAUSSIAN: WAVES,
    curves.GENERALISED_CAUCHY: WAVES,
    curves.SPHEROIDAL: WAVES,
}
#: Distances of the numerical spectrum, in ranges: so many steps of so much.
STEPS: Final = 2**20
STEP: Final = 2.0**-9
#: Above this frequency (radians a range) the spectrum falls as its square, and is known in full.
CREST: Final = 100.0


def line_scales(code: int, alpha: float, count: int, source: np.random.Generator) -> FloatArray:
    """Draw what distances along each line are multiplied by, in units of the model's range.

    Args:
        code: a bounded model of `curves`.
        alpha: its shape.
        count: how many lines.
        source: of random numbers.

    Returns:
        (count,): one over the length of the cells (`RAMPS`, `CUBICS`), or waves a range (`WAVES`).

    Raises:
        ValueError: the model is not bounded.

    Source:
        Spherical, cubic: Lantuejoul (2002), Geostatistical Simulation, ch. 15. Exponential: a
        mixture of sphericals whose ranges follow a (1 + a) exp(-a) / 3, by differentiating its
        curve three times (Matheron 1973, Adv. Appl. Prob. 5). Gaussian: its spectrum, radii as
        Maxwell's. Generalised Cauchy: a Gamma mixture of Gaussians (Emery & Lantuejoul 2006,
        Computers & Geosciences 32). Spheroidal: its spectrum, integrated numerically.
    """
    if code not in PROCESSES:
        raise ValueError("a model without a sill cannot be simulated by turning bands")
    if code in (curves.SPHERICAL, curves.CUBIC):
        return np.ones(count)
    first = even_numbers(count, RADIUS_BASE, source)
    second = even_numbers(count, CHOICE_BASE, source)
    if code == curves.EXPONENTIAL:
        shape = np.where(second < 1.0 / 3.0, 2.0, 3.0)
        return np.asarray(curves.PRACTICAL / gammaincinv(shape, first))
    if code == curves.SPHEROIDAL:
        return _spheroidal_frequencies(alpha, first) / (2.0 * np.pi)
    maxwell = np.sqrt(2.0 * gammaincinv(1.5, first))
    if code == curves.GAUSSIAN:
        return np.asarray(np.sqrt(2.0 * curves.PRACTICAL) * maxwell / (2.0 * np.pi))
    # of (1 + x^2)^(-alpha/2), x the distance in units of `scale` a range
    scale = np.sqrt(0.04 ** (-2.0 / alpha) - 1.0)
    spread = np.sqrt(2.0 * gammaincinv(0.5 * alpha, second))
    return np.asarray(scale * spread * maxwell / (2.0 * np.pi))


def _spheroidal_frequencies(alpha: float, shares: FloatArray) -> FloatArray:
    """Invert the cumulative spectrum at (count,) shares of the variance: radians a range."""
    frequencies, cumulative = _spheroidal_spectrum(alpha)
    top = cumulative[-1]
    inner = np.interp(shares, cumulative, frequencies)
    return np.where(shares <= top, inner, CREST * (1.0 - top) / (1.0 - shares))


@lru_cache(maxsize=8)
def _spheroidal_spectrum(alpha: float) -> tuple[FloatArray, FloatArray]:
    """Give frequencies and the share of variance below each.

    The radial spectrum of a covariance C in space is that of d(h C)/dh along a line. Its cosine
    transform falls as the frequency's square, for the curve is straight at the origin.
    """
    distances = (np.arange(STEPS, dtype=np.float64) + 0.5) * STEP
    line = line_covariance(curves.SPHEROIDAL, alpha, distances)
    density = np.asarray(dct(line, type=2)) * STEP / np.pi
    frequencies = np.arange(STEPS, dtype=np.float64) * (np.pi / (STEPS * STEP))
    inner = frequencies <= CREST
    frequencies, density = frequencies[inner], np.maximum(density[inner], 0.0)
    steps = np.diff(frequencies) * 0.5 * (density[1:] + density[:-1])
    below = np.concatenate(([0.0], np.cumsum(steps)))
    # the rest, over the crest: the integral of density(crest) * (crest / w)^2
    rest = density[-1] * frequencies[-1]
    return frequencies, np.asarray(below / (below[-1] + rest))


@kernel
def line_covariance(code: int, alpha: float, distances: FloatArray) -> FloatArray:
    """Give the covariance along a line that makes a model in space: d(h C(h))/dh.

    Args:
        code: a model of `curves`.
        alpha: its shape.
        distances: (n,) in ranges, all over 1e-3.

    Source:
        Matheron (1973), Adv. Appl. Prob. 5.
    """
    out = np.empty(len(distances))
    for i in range(len(distances)):
        h = distances[i]
        step = 1e-4 * h
        above, below = h + step, h - step
        after = above * curves.correlation(code, alpha, above * above)
        before = below * curves.correlation(code, alpha, below * below)
        out[i] = (after - before) / (above - below)
    return out
