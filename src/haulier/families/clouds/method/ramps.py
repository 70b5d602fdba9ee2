"""Ramps of colours, from low to high."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: Colours at equal steps; those of matplotlib's maps are samples of them.
RAMPS: Final = {
    "viridis": "#440154,#482878,#3e4989,#31688e,#26828e,#1f9e89,#35b779,#6ece58,#b5de2b,#fde725",
    "magma": "#000004,#180f3d,#440f76,#721f81,#9e2f7f,#cd4071,#f1605d,#fd9668,#feca8d,#fcfdbf",
    "turbo": "#30123b,#4662d7,#36aaf9,#1ae4b6,#72fe5e,#c7ef34,#faba39,#f66b19,#cb2a04,#7a0403",
    "terrain": "#2f6b3c,#5d8c3f,#9bb253,#d8c97a,#c69c5d,#a0703f,#8a5a44,#b09a8f,#e6e0dc,#ffffff",
    "bathymetry": "#08103a,#0a2a6b,#0b4f9c,#1a78be,#3d9fd3,#6fc3df,#a5dfe6,#d5f2e3,#f3f1c0",
    "rainbow": "#0000ff,#00ffff,#00ff00,#ffff00,#ff0000",
    "grey": "#000000,#ffffff",
}
ALIASES: Final = {"gray": "grey", "grayscale": "grey", "greyscale": "grey", "jet": "rainbow"}
COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
#: What a file stores for the brightest: colours are of 16 bits there.
FULL: Final = 65535.0


def parse_ramp(text: str) -> FloatArray:
    """Give the colours of a ramp, (n, 3) from 0 to 1.

    Args:
        text: a name, or at least two colours such as "#0000ff,#ffff00".

    Raises:
        ValueError: it is neither.
    """
    name = text.strip().lower()
    words = RAMPS.get(ALIASES.get(name, name), text).replace(" ", "").split(",")
    if len(words) < 2 or not all(COLOUR.fullmatch(word) for word in words):  # noqa: PLR2004 -- ends
        known = ", ".join(RAMPS)
        raise ValueError(f"must be one of {known}, or colours like '#0000ff,#ffff00', got {text!r}")
    return np.array([[int(word[i : i + 2], 16) / 255 for i in (1, 3, 5)] for word in words])


def colours_of(values: FloatArray, low: float, high: float, ramp: FloatArray) -> FloatArray:
    """Give the colour of each value.

    Args:
        values: (n,) those beyond the ends have the colours of the ends.
        low: the value of the first colour.
        high: of the last one.
        ramp: (k, 3) from 0 to 1, at equal steps.

    Returns:
        (n, 3) from 0 to 1; NaN where the value is.
    """
    share = (values - low) / (high - low) if high > low else 0.0 * values
    steps = np.linspace(0.0, 1.0, len(ramp))
    given = np.stack([np.interp(share, steps, ramp[:, band]) for band in range(3)], axis=1)
    given[np.isnan(share)] = np.nan
    return given
