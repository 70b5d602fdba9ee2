"""Where this wire stands: the vendor's own paths, and the containers beside them."""

from typing import Final
from urllib.parse import quote

PLATFORM: Final = "/maps/orbis/platform"
JOBS: Final = f"{PLATFORM}/gem/jobs"
STORAGES: Final = f"{PLATFORM}/private-gateway/storages"
UNWRAP: Final = "/v1/sys/wrapping/unwrap"  # the vault has its own host at the vendor's
BLOBS: Final = "/blob"  # and so has each storage
CONTAINER: Final = "default"
DOCUMENT: Final = f"{PLATFORM}/openapi.json"
PREFIXES: Final = (PLATFORM, UNWRAP, BLOBS)


def container_url(base_url: str, storage: str) -> str:
    """Give the address of a storage's container, with the vendor's slash at its end."""
    return f"{base_url}{BLOBS}/{quote(storage, safe='')}/{CONTAINER}/"
