"""The recipes that come with the family: three containers, with and without a reprojection."""

from collections.abc import Mapping
from typing import Any, Final

VERSION: Final = "3.0.0"
#: The containers: the kind that builds each, the step's id, and what it gives.
CONTAINERS: Final = {
    "copc": ("BUILD_COPC", "build_copc", "output_copc"),
    "ept": ("BUILD_EPT", "build_ept", "output_ept"),
    "potree": ("BUILD_POTREE", "build_potree", "output_potree"),
}
BROUGHT: Final = "job:input_las"
MOVED: Final = "step:reproject.output_las"


def _reproject() -> dict[str, Any]:
    """Give the first step; as MapPrism's does, it leaves Z alone where a job does not say more.

    Ordo's wire wants a value for every one of `param_keys`: all but the vendor's two have one here.
    """
    return {
        "id": "reproject",
        "type": "REPROJECT_LAS",
        "inputs": {"input_las": BROUGHT},
        "outputs": {"output_las": MOVED},
        "param_keys": ["source_epsg", "target_epsg", "vertical", "grids", "override_source_crs"],
        "params": {"vertical": "keep", "grids": "known_accuracy", "override_source_crs": False},
    }


def _recipe(name: str, about: str, container: str, source: str) -> dict[str, Any]:
    type_, id_, slot = CONTAINERS[container]
    main = [
        {
            "id": id_,
            "type": type_,
            "inputs": {"input_las": source},
            "outputs": {slot: f"step:{id_}.{slot}"},
        },
        {
            "id": "dataset_info",
            "type": "DATASET_INFO",
            "inputs": {"input_las": source},
            "outputs": {"metadata": "step:dataset_info.metadata"},
        },
    ]
    return {
        "name": name,
        "version": VERSION,
        "description": about,
        "definition": {
            "recipe": [_reproject(), *main] if source == MOVED else main,
            "on_exit": {
                "id": "call_webhook",
                "type": "CALL_WEBHOOK",
                "inputs": {"waits_for": "step:dataset_info.metadata"},
                "param_keys": ["webhook_url"],
            },
        },
    }


PRESETS: Final[tuple[Mapping[str, Any], ...]] = (
    *(
        _recipe(
            f"{name}-conversion", f"Builds {CONTAINERS[name][0][6:]} of a cloud.", name, BROUGHT
        )
        for name in CONTAINERS
    ),
    *(
        _recipe(
            f"reproject-{name}",
            f"Reprojects a cloud, then builds {CONTAINERS[name][0][6:]}.",
            name,
            MOVED,
        )
        for name in CONTAINERS
    ),
)
