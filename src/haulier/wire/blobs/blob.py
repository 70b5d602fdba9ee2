"""Which file a request of the block-blob protocol is about, and who asks for it."""

from dataclasses import dataclass

from haulier.core.caller import Caller
from haulier.core.problem import Code, Problem
from haulier.engine.files import FileInfo
from haulier.wire.dialect import AnyRequest, services_of


@dataclass(frozen=True, slots=True)
class Blob:
    """A file in a storage, whether it is there or not.

    Attributes:
        caller: whoever a dialect let in.
        sha256: what its content must hash to, in hexadecimal digits; empty: anything will do.
    """

    caller: Caller
    storage: str
    filename: str
    sha256: str = ""


async def find(request: AnyRequest, blob: Blob) -> FileInfo | None:
    """Give what is known of a blob if it is there.

    Raises:
        Problem: NOT_FOUND at "storage".
    """
    try:
        return await services_of(request).files.stat(blob.caller, blob.storage, blob.filename)
    except Problem as problem:
        if problem.code is Code.NOT_FOUND and problem.at == "filename":
            return None
        raise


def no_such_comp(comp: str, *known: str) -> Problem:
    """Give the refusal of a part of a blob that we do not have."""
    quoted = " or ".join(f"'{name}'" for name in known)
    wanted = f"{quoted} here, or left out" if known else "left out here"
    return Problem(Code.INVALID, f"comp must be {wanted}, got {comp!r}", at="query.comp")
