"""What stands more than once in a list, such as a name that two columns or files have."""

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import TypeVar

Item = TypeVar("Item", bound=Hashable)


def repeated(items: Iterable[Item]) -> list[Item]:
    """Return each item that occurs more than once, in the order in which they first occur.

    Every item is looked at once: of a file with a million names, counting each alone would take hours.

    >>> repeated("banana"), repeated("ban")
    (['a', 'n'], [])
    """
    return [item for item, count in Counter(items).items() if count > 1]
