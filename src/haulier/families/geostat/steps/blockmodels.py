"""Publishing on a block model: its next version, and that of the object which stands for it."""

from collections.abc import Mapping, Sequence
from typing import Any

from haulier.core.entry import Publication
from haulier.core.family import Context
from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.attributes import AttributeList, find_attribute, reference_of
from haulier.families.geostat.io.blockcolumns import write_column
from haulier.families.geostat.io.blockmodels import (
    ENTRY,
    WRITTEN,
    changed_columns,
    newest_entry,
    shown_document,
)
from haulier.families.geostat.io.objects import GeoObject
from haulier.families.geostat.io.publications import (
    Placed,
    check_spec,
    files_of,
    replacement,
    settled,
)
from haulier.families.geostat.io.tables import file_hash
from haulier.families.geostat.kinds import PARQUET
from haulier.families.geostat.params.pieces import UpdateAttribute
from haulier.families.geostat.steps.outputs import Blob, Output


def check_kinds(outputs: Sequence[Output], object_: GeoObject) -> None:
    """Refuse outputs that a block model cannot hold.

    Raises:
        Problem: INVALID at the output.
    """
    for each in outputs:
        if each.type not in WRITTEN:
            raise Problem(
                Code.INVALID,
                f"{each.at} must be a grid for realisations: '{object_.title}' is a block model, "
                "which holds one value a block; simulate on a regular or masked 3-D grid",
                at=each.at,
            )


def block_publications(
    context: Context,
    newest: GeoObject,
    owner: AttributeList,
    outputs: Sequence[Output],
    blobs: Mapping[str, Sequence[Blob]],
) -> tuple[tuple[Publication, ...], list[Placed]]:
    """Give the new versions of a block model and of its object, and the attributes they gain.

    The columns are outputs of the step that calls this.

    Raises:
        Problem: INVALID; a name is taken, or a column holds other values.
    """
    document: Mapping[str, Any] = newest.body["object"]
    entry = newest_entry(context, document, newest.reference.space)
    hashes: dict[str, str] = {}
    written = []
    for each in outputs:
        spec = settled(newest, owner, each.spec, each.type, replace=each.replace)
        title = check_spec(newest, owner, spec, each.type, each.at)
        column_id = ""
        if isinstance(spec, UpdateAttribute):
            at = f"{each.at}.reference"
            column_id = find_attribute(newest, spec.reference, at=at).key
        artifact = blobs[each.name][0].artifact
        path = context.write(artifact, media_type=PARQUET, filename=f"{artifact}.parquet")
        source = context.read(f"step:work.{artifact}")
        write_column(source, path, each.type, each.categories)
        hashes[artifact] = file_hash(path)
        written.append((column_id, title, each.type, hashes[artifact]))
    columns = changed_columns(entry, written)
    model = Publication(
        type=ENTRY,
        name=entry.name,
        body={**entry.body, "columns": columns},
        expects=entry.version,
        files=files_of(hashes),
    )
    shown = shown_document(document, entry.name, entry.version + 1, columns)
    keys = {column["title"]: column["col_id"] for column in columns}
    placed = [Placed(title, reference_of("attributes", keys[title])) for _, title, _, _ in written]
    return (model, replacement(newest, shown, {})), placed
