"""Pieces that the parameters of several kinds share: sources, targets, filters, outputs."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

#: How `checks` knows which texts to parse, by the `extra` of their Meta.
REFERENCE = "reference"
PATH_REFERENCE = "path-reference"
EXPRESSION = "expression"

Reference = Annotated[
    str,
    Meta(
        description="URL of a geoscience object, by id or by path, with an optional version.",
        extra={"is": REFERENCE},
    ),
]
PathReference = Annotated[
    str,
    Meta(
        description="URL of a geoscience object by its path: where a new object goes.",
        extra={"is": PATH_REFERENCE},
    ),
]
Expression = Annotated[
    str,
    Meta(
        description="An attribute of the object: a JMESPath, or the attribute's name or key.",
        examples=["locations.attributes[?name=='grade']"],
        extra={"is": EXPRESSION},
    ),
]
Name = Annotated[str, Meta(description="Name of an attribute.", min_length=1, max_length=500)]
LEAST_SEED = -(2**62)
GREATEST_SEED = 2**62
Seed = Annotated[
    int,
    Meta(
        description="Seed of the random numbers: equal seeds, equal results.",
        ge=LEAST_SEED,
        le=GREATEST_SEED,
    ),
]
DEFAULT_SEED = 38239342
Key = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
#: Of values and lengths: no axis of a plot reaches much further.
LARGEST = 1e300
Cutoff = Annotated[float, Meta(description="A value of the variable.", ge=-LARGEST, le=LARGEST)]
Quantile = Annotated[float, Meta(description="A probability.", ge=0.0, le=1.0)]


class Piece(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a request; a field that nobody reads is refused."""


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every kind takes besides its own."""

    report: Annotated[
        bool, Meta(description="Make a page with plots and statistics, as output `report`.")
    ] = True


class Condition(Piece, frozen=True, tag_field="type", tag="condition"):
    """A test of one attribute of the filtered object."""

    attribute: Expression
    operator: Annotated[
        Literal[
            "in",
            "not_in",
            "equal",
            "not_equal",
            "greater_than",
            "greater_than_or_equal_to",
            "less_than",
            "less_than_or_equal_to",
        ],
        Meta(description="`in` and `not_in` take `values`, the others a `threshold`."),
    ]
    values: Annotated[
        tuple[str | Key, ...] | None,
        Meta(description="Names or keys of categories, texts or whole numbers."),
    ] = None
    threshold: Annotated[float | None, Meta(description="What values are compared with.")] = None


class AllOf(Piece, frozen=True, tag_field="type", tag="all_of"):
    """True where every one of its filters is."""

    filters: Annotated[
        tuple["Condition | AllOf | AnyOf", ...],
        Meta(description="The filters that must all be true.", min_length=1, max_length=100),
    ]


class AnyOf(Piece, frozen=True, tag_field="type", tag="any_of"):
    """True where one or more of its filters are."""

    filters: Annotated[
        tuple["Condition | AllOf | AnyOf", ...],
        Meta(description="The filters of which one must be true.", min_length=1, max_length=100),
    ]


class Filter(Piece, frozen=True):
    """Which locations count."""

    where: Annotated[
        Condition | AllOf | AnyOf, Meta(description="A condition, or several of them together.")
    ]


class Source(Piece, frozen=True):
    """An attribute that is read."""

    object: Reference
    attribute: Expression


class FilteredSource(Piece, frozen=True):
    """An attribute that is read where a filter is true."""

    object: Reference
    attribute: Expression
    filter: Annotated[Filter | None, Meta(description="Which samples are used.")] = None


class CreateAttribute(Piece, frozen=True, tag_field="operation", tag="create"):
    """An attribute that is new."""

    name: Name


class UpdateAttribute(Piece, frozen=True, tag_field="operation", tag="update"):
    """An attribute that is there, and whose values are replaced."""

    reference: Expression


AnyAttribute = CreateAttribute | UpdateAttribute
AttributeOut = Annotated[
    AnyAttribute,
    Meta(description="Create an attribute of a new name, or update the values of one."),
]
OptionalAttributeOut = Annotated[
    AnyAttribute | None, Meta(description="Where it is written; null: it is not made.")
]


class Target(Piece, frozen=True):
    """Where values are written."""

    object: Reference
    attribute: AttributeOut


class FilteredTarget(Piece, frozen=True):
    """Where values are written, and at which locations they are made."""

    object: Reference
    attribute: AttributeOut
    filter: Annotated[
        Filter | None, Meta(description="Where values are made; elsewhere they are missing.")
    ] = None


class ObjectTarget(Piece, frozen=True):
    """A new object."""

    reference: PathReference
    overwrite: Annotated[
        bool, Meta(description="Replace an object of the same type that is there already.")
    ] = False
    description: (
        Annotated[str, Meta(description="What the new object says of itself.", max_length=10_000)]
        | None
    ) = None
    tags: Annotated[
        dict[str, str], Meta(description="Tags of the new object.", max_length=100)
    ] = {}


class BlockDiscretization(Piece, frozen=True):
    """Into how many points a block is divided along each of its sides; 1 each: its centre."""

    nx: Annotated[int, Meta(description="Along x.", ge=1, le=9)] = 1
    ny: Annotated[int, Meta(description="Along y.", ge=1, le=9)] = 1
    nz: Annotated[int, Meta(description="Along z.", ge=1, le=9)] = 1
