"""Roads: a customer's road network matched to the segments of an Overture release."""

from haulier.families.roads.family import FAMILY

__all__ = ["FAMILY"]
