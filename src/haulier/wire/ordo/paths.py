"""Where this wire stands."""

from typing import Final

NAME: Final = "ordo"
BASE: Final = "/ordo"
JOBS: Final = f"{BASE}/jobs"
RECIPES: Final = f"{BASE}/recipes"
DOCUMENT: Final = f"{BASE}/openapi.json"
