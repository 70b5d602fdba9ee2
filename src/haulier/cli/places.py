"""`haulier releases`, `storages` and `files`: where data comes from and goes to."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from haulier.cli import output
from haulier.cli.codes import Exit, UsageError
from haulier.cli.connection import HERE, Server

releases = App(name="releases", help="Add, list and remove the reference releases that jobs name.")
storages = App(name="storages", help="Add and list named places for files.")
files = App(name="files", help="List, put, get and remove the files of a storage.")


@releases.command(name="add")
def add_release(name: str, place: str, /, *, server: Server = HERE) -> Exit:
    """Register a release, or point its name at another place.

    Args:
        name: The name that jobs use.
        place: A folder or file that the workers can read, or a URL (s3://, gs://, abfs://). A
            path that exists here is made absolute. Other organisations than the operator's
            name places below HAULIER_STORAGE_ROOTS.
        server: The server.
    """
    url = str(Path(place).resolve()) if Path(place).exists() else place
    if "://" not in url and not Path(url).is_absolute():
        raise UsageError(f"no folder or file {place!r} here, and it is no URL")
    with server.connect() as client:
        release = client.put_release(name, url)
    if "://" not in url and not Path(url).exists():
        output.say(f"there is no {url} here; every worker must find it where it runs")
    output.told(f"{release.name}  {release.url}", release, json=server.json)
    return Exit.OK


@releases.command(name="list")
def list_releases(*, server: Server = HERE) -> Exit:
    """List the registered releases.

    Args:
        server: The server.
    """
    with server.connect() as client:
        found = client.releases()
    if server.json:
        output.write_json(found)
    else:
        output.table("", ("RELEASE", "PLACE"), [(one.name, one.url) for one in found])
    return Exit.OK


@releases.command(name="remove")
def remove_release(name: str, /, *, server: Server = HERE) -> Exit:
    """Forget a release; its files are left alone.

    Args:
        name: The release.
        server: The server.
    """
    with server.connect() as client:
        client.remove_release(name)
    output.told(f"{name} removed", {"removed": name}, json=server.json)
    return Exit.OK


@storages.command(name="list")
def list_storages(*, server: Server = HERE) -> Exit:
    """List the storages.

    Args:
        server: The server.
    """
    with server.connect() as client:
        found = client.storages()
    if server.json:
        output.write_json(found)
    else:
        rows = [(one.name, one.url or "the server's own") for one in found]
        output.table("", ("STORAGE", "PLACE"), rows)
    return Exit.OK


@storages.command(name="add")
def add_storage(name: str, place: str, /, *, server: Server = HERE) -> Exit:
    """Name a place for files, or move the name to another place.

    Args:
        name: The name that jobs and callers use.
        place: s3://bucket/prefix, gs://..., az://..., or file:///folder. Other organisations
            than the operator's name places below HAULIER_STORAGE_ROOTS.
        server: The server.
    """
    if "://" not in place:
        raise UsageError(f"PLACE must be a URL such as s3://bucket/prefix, got {place!r}")
    with server.connect() as client:
        storage = client.put_storage(name, place)
    output.told(f"{storage.name}  {storage.url}", storage, json=server.json)
    return Exit.OK


@files.command(name="list")
def list_files(storage: str = "", /, *, server: Server = HERE) -> Exit:
    """List the files of a storage.

    Args:
        storage: The storage; else the server's own.
        server: The server.
    """
    with server.connect() as client:
        found = client.files(storage)
    if server.json:
        output.write_json(found)
        return Exit.OK
    rows = [
        (one.filename, output.size(one.size_bytes), output.moment(one.modified_at)) for one in found
    ]
    output.table("", ("FILE", "SIZE", "CHANGED"), rows)
    return Exit.OK


@files.command(name="put")
def put_file(
    path: Path,
    storage: str = "",
    /,
    *,
    name: str = "",
    replace: Annotated[bool, Parameter(negative=())] = False,
    server: Server = HERE,
) -> Exit:
    """Upload a file; one with the same content that is there already is not sent again.

    Args:
        path: The local file.
        storage: The storage; else the server's own.
        name: Its name there; else its own, with a mark where another file has that.
        replace: Replace another file of the name.
        server: The server.
    """
    with server.connect() as client:
        stored = client.upload(path, storage, filename=name, replace=replace)
    text = f"{stored.storage} {stored.filename}  {stored.sha256}"
    output.told(text, stored, json=server.json)
    return Exit.OK


@files.command(name="get")
def get_file(
    storage: str,
    name: str,
    /,
    *,
    out: Annotated[Path | None, Parameter(name=("--out", "-o"))] = None,
    server: Server = HERE,
) -> Exit:
    """Download a file.

    Args:
        storage: The storage.
        name: The file's name there.
        out: The file or folder to write; else its name, here.
        server: The server.
    """
    with server.connect() as client:
        path = client.fetch(storage, name, out)
    output.told(str(path), {"path": str(path)}, json=server.json)
    return Exit.OK


@files.command(name="remove")
def remove_file(storage: str, name: str, /, *, server: Server = HERE) -> Exit:
    """Remove a file.

    Args:
        storage: The storage.
        name: The file's name there.
        server: The server.
    """
    with server.connect() as client:
        client.remove_file(storage, name)
    output.told(f"{name} removed", {"removed": name}, json=server.json)
    return Exit.OK
