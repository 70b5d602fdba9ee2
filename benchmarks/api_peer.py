"""pygeoapi for the API benchmark: its configuration, its jobs, and the command that serves it."""

import json
import sys
from pathlib import Path
from typing import Any

import yaml
from tinydb import TinyDB

PROCESS = "hello-world"


def configure(folder: Path, port: int) -> dict[str, str]:
    """Write a configuration with the TinyDB job manager; gives the environment that names it."""
    config: dict[str, Any] = {
        "server": {
            "bind": {"host": "127.0.0.1", "port": port},
            "url": f"http://127.0.0.1:{port}",
            "mimetype": "application/json; charset=UTF-8",
            "encoding": "utf-8",
            "languages": ["en-US"],
            "limits": {"default_items": 10, "max_items": 10},
            "map": {"url": "none", "attribution": "none"},
            "manager": {
                "name": "TinyDB",
                "connection": str(folder / "jobs.json"),
                "output_dir": str(folder),
            },
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {
                "title": {"en": "peer"},
                "description": {"en": "peer"},
                "keywords": {"en": ["peer"]},
                "keywords_type": "theme",
                "terms_of_service": "none",
                "url": "http://127.0.0.1",
            },
            "license": {"name": "none"},
            "provider": {"name": "none", "url": "http://127.0.0.1"},
            "contact": {"name": "none"},
        },
        "resources": {PROCESS: {"type": "process", "processor": {"name": "HelloWorld"}}},
    }
    path = folder / "config.yml"
    path.write_text(yaml.safe_dump(config))
    openapi = folder / "openapi.json"
    document = {"openapi": "3.0.2", "info": {"title": "peer", "version": "1"}, "paths": {}}
    openapi.write_text(json.dumps(document))
    return {"PYGEOAPI_CONFIG": str(path), "PYGEOAPI_OPENAPI": str(openapi)}


def fill(folder: Path, count: int) -> list[str]:
    """Store ended jobs as the manager does, and give their ids."""
    ids = [f"{number:08x}-0000-4000-8000-{number:012x}" for number in range(count)]
    rows = [
        {
            "type": "process",
            "identifier": id_,
            "process_id": PROCESS,
            "created": "2026-02-18T10:38:59.031762Z",
            "started": "2026-02-18T10:38:59.031762Z",
            "updated": "2026-02-18T10:39:59.031762Z",
            "finished": "2026-02-18T10:39:59.031762Z",
            "status": "successful",
            "location": str(folder / f"{PROCESS}-{id_}"),
            "mimetype": "application/json",
            "message": "Job complete",
            "progress": 100,
        }
        for id_ in ids
    ]
    with TinyDB(folder / "jobs.json") as database:
        database.insert_multiple(rows)
    return ids


def command(port: int) -> list[str]:
    """Give the command that serves it as we are served: granian, one worker."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"),
        *("--port", str(port), "--workers", "1", "--no-ws", "pygeoapi.flask_app:APP"),
    ]
