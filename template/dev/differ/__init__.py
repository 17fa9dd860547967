"""What breaks a caller between two OpenAPI 3.1 documents: `breaks(before, after, today)`."""

from dev.differ.catalogue import RULES, explained
from dev.differ.documents import Json
from dev.differ.operations import breaks
from dev.differ.rules import Break, Direction, Rule

__all__ = ["RULES", "Break", "Direction", "Json", "Rule", "breaks", "explained"]
