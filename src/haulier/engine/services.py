"""Everything a face needs of the engine, in one place."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import sqlalchemy as sa

from haulier.core.clock import Clock
from haulier.engine.catalog import Catalog
from haulier.engine.files import Files
from haulier.engine.health import Health
from haulier.engine.jobs import Jobs
from haulier.engine.keys import Keys
from haulier.engine.recipes.shelf import RecipeShelf
from haulier.engine.registry import Kinds
from haulier.engine.storage import Storage

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Services:
    """What a server or a command works with.

    Attributes:
        public_url: how callers reach the server; empty means what they asked for.
        inline_reads: a read of a row takes less time than a change of threads, as on SQLite.
    """

    jobs: Jobs
    keys: Keys
    catalog: Catalog
    files: Files
    kinds: Kinds
    recipes: RecipeShelf
    health: Health
    clock: Clock
    storage: Storage
    engine: sa.Engine
    public_url: str
    inline_reads: bool

    async def read(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a quick read: in a thread where it may wait for a network."""
        if self.inline_reads:
            return fn(*args, **kwargs)
        return await asyncio.to_thread(fn, *args, **kwargs)

    async def write(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call what may wait for a lock or read much: always in a thread."""
        return await asyncio.to_thread(fn, *args, **kwargs)
