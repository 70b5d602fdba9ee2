"""A small deposit as geoscience objects, and parameters of every kind that work on it."""

import math
from collections.abc import Mapping
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import numpy as np

from haulier.testing.context import World
from haulier.testing.geoscience import BASE, Gallery, new, search, structure
from haulier.testing.mining import intervals

SAMPLES: Final = 60
SIDE_M: Final = 100.0
GRID_SIZE: Final = (6, 5, 4)
CELLS: Final = math.prod(GRID_SIZE)
REALISATIONS: Final = 4


def at(path: str, version: int = 1) -> str:
    """Give the reference of an object of the deposit."""
    return f"{BASE}/{uuid5(NAMESPACE_URL, path)}?version={version}"


POINTS: Final = at("points.json")
GRID: Final = at("grid.json")
MASKED: Final = at("masked.json")
TENSOR: Final = at("tensor.json")
HOLES: Final = at("holes.json")
VARIOGRAM: Final = at("variogram.json")
DISTRIBUTION: Final = at("distribution.json")
SIMULATED: Final = at("simulated.json")
GRADE: Final = "locations.attributes[?name=='grade']"


def samples() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Give places (n, 3) in metres and grades (n,); one is missing, two are equal."""
    generator = np.random.default_rng(7)
    places = np.round(generator.uniform(0.0, SIDE_M, (SAMPLES, 3)) * [1.0, 1.0, 0.4], 2)
    grades = np.exp(np.sin(places[:, 0] / 25.0) + places[:, 1] / 120.0)
    grades = np.round(grades + generator.normal(0.0, 0.1, SAMPLES), 2)
    grades[3], grades[7] = np.nan, grades[8]
    return places, grades


def furnish(world: World) -> Gallery:
    """Put every object of the deposit into a world."""
    gallery = Gallery(world)
    places, grades = samples()
    domains = ["east" if x > SIDE_M / 2 else "west" for x in places[:, 0]]
    gallery.pointset(
        "points.json",
        places,
        gallery.scalar("grade", grades),
        gallery.category("domain", domains, first_key=10),
        gallery.scalar("weight", np.linspace(0.5, 1.5, SAMPLES)),
        gallery.scalar("depth", places[:, 2] ** 2),
    )
    _grids(gallery)
    names = [f"H{n % 6}" for n in range(SAMPLES)]
    intervals(gallery, "holes.json", names, places * [1, 1, -1], gallery.scalar("grade", grades))
    gallery.variogram(
        "variogram.json",
        structure("spherical", 0.5, (60.0, 50.0, 30.0), (20.0, 0.0, 0.0)),
        structure("exponential", 0.4, (90.0, 90.0, 40.0)),
        nugget=0.1,
    )
    known = np.unique(grades[~np.isnan(grades)])
    middles = (np.arange(len(known)) + 0.5) / len(known)
    gallery.distribution("distribution.json", known, middles)
    return gallery


def _grids(gallery: Gallery) -> None:
    cell = (SIDE_M / 6, SIDE_M / 5, 10.0)
    count = np.arange(CELLS, dtype=np.float64)
    zones = ["high" if n % 2 else "low" for n in range(CELLS)]
    gallery.grid(
        "grid.json",
        GRID_SIZE,
        gallery.scalar("depth", (count // 30 * 10 + 5) ** 2),
        gallery.category("zone", zones),
        cell=cell,
    )
    mask = count % 3 != 0
    gallery.grid("masked.json", GRID_SIZE, cell=cell, mask=mask, rotation=(30.0, 0.0, 0.0))
    gallery.tensor("tensor.json", ([20.0, 30, 50], [50.0, 50], [10.0, 20]), (0.0, 0.0, 0.0))
    generator = np.random.default_rng(8)
    scores = generator.normal(size=(CELLS, REALISATIONS))
    gallery.grid(
        "simulated.json",
        GRID_SIZE,
        gallery.ensemble("blocks", np.exp(scores)),
        gallery.ensemble("block_scores", scores),
        gallery.ensemble("points", np.exp(scores)),
        gallery.ensemble("point_scores", scores),
        cell=cell,
    )


def on(object_: str, name: str) -> dict[str, Any]:
    """Give a target that gets a new attribute."""
    return {"object": object_, "attribute": new(name)}


SOURCE: Final = {"object": POINTS, "attribute": GRADE}
SIMULATION: Final = {"object": SIMULATED, "attribute": "blocks"}
ECONOMICS: Final = {
    "material_categories": [
        {"cutoff_grade": 0.0, "metal_price": 0.0, "label": "waste"},
        {"cutoff_grade": 1.0, "metal_price": 10.0, "label": "ore"},
    ],
    "processing_cost": 5.0,
    "mining_waste_cost": 1.0,
    "mining_ore_cost": 2.0,
    "metal_recovery_fraction": 0.9,
}
SEARCH: Final = search(60.0, 12)
BLOCKS: Final = {"nx": 2, "ny": 2, "nz": 1}
#: Of every kind, parameters that work.
PARAMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "KRIGING": {
        "source": SOURCE,
        "target": {
            **on(GRID, "estimate"),
            "diagnostics": {"valid": new("valid"), "kriging_variance": new("KV")},
        },
        "variogram": VARIOGRAM,
        "neighborhood": SEARCH,
        "block_discretization": BLOCKS,
    },
    "IDW": {"source": SOURCE, "target": on(MASKED, "idw"), "neighborhood": SEARCH, "power": 2.0},
    "KNN": {"source": SOURCE, "target": on(TENSOR, "knn"), "neighborhood": SEARCH},
    "UNIVERSAL_KRIGING": {
        "source": SOURCE,
        "target": on(GRID, "universal"),
        "variogram": VARIOGRAM,
        "neighborhood": search(80.0, 30),
        "drift": {"order": 1, "external": [{"source": "depth", "target": "depth"}]},
        "block_discretization": BLOCKS,
    },
    "INDICATOR_KRIGING": {
        "source": SOURCE,
        "target": {
            "object": GRID,
            "probabilities": [new("above 1"), new("above 2")],
            "e_type": new("e-type"),
        },
        "cutoffs": [{"cutoff": 1.0}, {"cutoff": 2.0}],
        "variogram": VARIOGRAM,
        "neighborhood": SEARCH,
    },
    "CROSS_VALIDATION": {
        "source": SOURCE,
        "variogram": VARIOGRAM,
        "neighborhood": SEARCH,
        "folds": 5,
        "outputs": {"estimate": new("cv"), "fold": new("fold")},
    },
    "BREAK_TIES": {"source": SOURCE, "target": on(POINTS, "untied"), "neighborhood": SEARCH},
    "DECLUSTERING": {
        "source": {"object": POINTS},
        "grid": {"object": GRID},
        "target": on(POINTS, "declustering"),
        "neighborhood": SEARCH,
    },
    "CONTINUOUS_DISTRIBUTION": {
        "source": SOURCE,
        "weights": {"object": POINTS, "attribute": "weight"},
        "tail_extrapolation": {"upper": {"power": 0.5, "max": 100.0}},
        "target": {"reference": f"{BASE}/path/made/distribution.json", "tags": {"made": "here"}},
    },
    "NORMAL_SCORE": {
        "method": "forward",
        "source": SOURCE,
        "target": on(POINTS, "score"),
        "distribution": DISTRIBUTION,
    },
    "CONDITIONAL_TURNING_BANDS": {
        "source": POINTS,
        "source_attribute": GRADE,
        "target": MASKED,
        "neighborhood": SEARCH,
        "distribution": DISTRIBUTION,
        "variogram_model": VARIOGRAM,
        "block_discretization": BLOCKS,
        "number_of_lines": 50,
        "realizations": 3,
    },
    "CONSIM": {
        "source_object": POINTS,
        "source_attribute": GRADE,
        "target_object": GRID,
        "neighborhood": SEARCH,
        "variogram_model": VARIOGRAM,
        "block_discretization": BLOCKS,
        "distribution": {"weights": "weight", "tail_extrapolation": None},
        "number_of_lines": 50,
        "number_of_simulations": 5,
        "number_of_simulations_to_save": 2,
        "loss_calculation": {**ECONOMICS, "target_attribute": new("class")},
        "location_wise_quantiles": [0.1, 0.9],
        "probability_above_cutoff": [1.0],
        "mean_above_cutoff": [1.0],
    },
    "LOCATION_WISE": {
        "source": SIMULATION,
        "target": {"object": SIMULATED},
        "summary": True,
        "quantiles": [0.5],
        "probability_above_cutoff": {"cutoffs": [1.0]},
        "mean_above_cutoff": {"cutoffs": [1.0]},
    },
    "LOSS_CALCULATION": {"source": SIMULATION, "target": on(SIMULATED, "loss"), **ECONOMICS},
    "PROFIT_CALCULATION": {"source": SIMULATION, "target": on(SIMULATED, "profit"), **ECONOMICS},
    "SIMULATION_REPORT": {
        "simulation_source": POINTS,
        "source_attribute": GRADE,
        "simulation_target": SIMULATED,
        "point_simulations": "points",
        "point_simulations_normal_score": "point_scores",
        "block_simulations": "blocks",
        "block_simulations_normal_score": "block_scores",
        "variogram_model": VARIOGRAM,
        "neighborhood": SEARCH,
        "number_of_simulations": 3,
        "report_mean_thresholds": {"acceptable": 0.5, "marginal": 1.0},
    },
    "EXPERIMENTAL_VARIOGRAM": {
        "source": SOURCE,
        "lags": {"size": 10.0, "count": 6},
        "directions": [{}, {"type": "directional", "azimuth": 90.0}],
        "target": {"reference": f"{BASE}/path/made/experimental.json"},
    },
    "VARIOGRAM_FIT": {
        "experiment": {"source": SOURCE, "lags": {"size": 10.0, "count": 6}},
        "structures": [{"variogram_type": "spherical"}],
        "target": {"reference": f"{BASE}/path/made/variogram.json"},
    },
}
