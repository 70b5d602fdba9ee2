"""What a caller may ask of WORD_COUNT."""

from typing import Annotated

import msgspec

from haulier.core.artifact import FileRef, check_filename

KIB = 1024


class WordCount(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A text whose words are counted."""

    input: Annotated[FileRef, msgspec.Meta(description="The text, in UTF-8.")]
    top: Annotated[
        int,
        msgspec.Meta(ge=1, le=1000, description="How many of the commonest words the result has."),
    ] = 10
    part_kib: Annotated[
        int,
        msgspec.Meta(ge=1, le=KIB * KIB, description="The length of a part, in KiB."),
    ] = 4 * KIB


def check(params: WordCount) -> WordCount:
    """Give the parameters back if a job can begin with them.

    Raises:
        Problem: INVALID; the input is no file name.
    """
    check_filename(params.input.filename, at="input.filename")
    return params
