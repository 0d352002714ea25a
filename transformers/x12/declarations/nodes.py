"""The parts of a tree (HL): their ids, and the order in which they stand in a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, pairwise

from hub.documents.base import PLACE, Extra, Part, unchecked


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A part of a tree: its path, its own id and its parent's."""

    part: Part
    path: str
    id: str
    parent: str


def tree_nodes(parts: Sequence[Part], path: str, children: str, field: str) -> list[TreeNode]:
    """All parts of a tree, parents before their children. `children`: the field with the parts below one, `field`: the
    one with its id. Parts without an id are numbered, by numbers that nobody else has."""
    own = [getattr(part, field) for part in _flat(parts, children)]
    taken = {str(id).lstrip("0") for id in own if id is not None}
    free = (str(number) for number in count(1) if str(number) not in taken)
    numbers = iter([str(id) if id is not None else next(free) for id in own])
    return list(_nodes(parts, path, "", children, numbers))


def in_order(nodes: Sequence[TreeNode], stood: Sequence[str]) -> Sequence[TreeNode]:
    """The nodes in the order in which they stood: `stood` are their ids in it, of a document in which it doesn't follow
    from the ids. Where there are others by now, or none, in the order of ids that count up, else parents before their
    children."""
    places = {id: place for place, id in enumerate(stood)}
    same = places.keys() == {node.id for node in nodes}
    if same and all(not node.parent or places[node.parent] < places[node.id] for node in nodes):
        return sorted(nodes, key=lambda node: places[node.id])
    return sorted(nodes, key=lambda node: int(node.id)) if _count_up(nodes) else nodes


def kept_order(loop: str, ids: Iterable[str]) -> list[Extra]:
    """Extras that say in which order the levels of a tree stood; none where their ids count up."""
    read = list(ids)
    numbers = [int(id) for id in read if id.isdecimal() and len(id) < 10]
    if len(numbers) == len(read) and all(one < other for one, other in pairwise(numbers)):
        return []
    return [
        unchecked(
            Extra,
            {"segment": loop, "elements": (id,), "position": 0, "within": f"{loop}[{number}]", "kept_for": PLACE},
        )
        for number, id in enumerate(read, 1)
    ]


def _nodes(parts: Sequence[Part], path: str, parent: str, children: str, numbers: Iterator[str]) -> Iterator[TreeNode]:
    for number, part in enumerate(parts):
        node = TreeNode(part, f"{path}[{number}]", next(numbers), parent)
        yield node
        yield from _nodes(getattr(part, children), f"{node.path}.{children}", node.id, children, numbers)


def _flat(parts: Sequence[Part], children: str) -> Iterator[Part]:
    for part in parts:
        yield part
        yield from _flat(getattr(part, children), children)


def _count_up(nodes: Sequence[TreeNode]) -> bool:
    """Whether all ids are numbers, and each is greater than those of its parent and of the node before it below the
    same parent: then they have been counted in the order in which the nodes stood."""
    if not all(node.id.isdecimal() and len(node.id) < 10 for node in nodes):
        return False
    latest: dict[str, int] = {}
    for node in nodes:
        own = int(node.id)
        if own <= max(int(node.parent or 0), latest.get(node.parent, -1)):
            return False
        latest[node.parent] = own
    return True
