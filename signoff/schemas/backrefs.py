r"""Tells which references to groups, such as `\1`, mean the same in ECMA-262 and in Python.

A group that did not take part matches the empty text in ECMA-262 and fails in Python; the translation writes that out.
But ECMA-262 also forgets all groups inside a repetition when the repetition begins again, and Python keeps them:
`^(?:(a)|b)*\1$` matches "ab" in ECMA-262 and "aba" in Python. They also count empty repetitions differently. So a
reference is accepted when each repetition around its group is also around it, and the group surely took part.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Box:
    """A part of a pattern that holds others: a group, or one of several alternatives."""

    loops: bool = False  #: may be matched more than once
    unsure: bool = False  #: may be passed over, as one alternative or by `?`
    negative: bool = False  #: must not match, so nothing is kept of its groups
    behind: bool = False  #: a look-behind, which ECMA-262 matches from right to left


Path = tuple[Box, ...]  #: from the outermost box to the innermost


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A reference to a group, and where it stands."""

    at: int  #: the character it begins at
    group: int
    path: Path
    is_closed: bool  #: the group ended before; else the reference matches the empty text, for the group is forgotten


@dataclass(slots=True)
class Groups:
    """The capturing groups of a pattern and the references to them."""

    paths: list[Path] = field(default_factory=list)  #: of group 1, 2, …, itself included
    closed: set[int] = field(default_factory=set)
    names: dict[str, int] = field(default_factory=dict)
    references: list[Reference] = field(default_factory=list)

    def open(self, path: Path) -> int:
        """Returns the number of a group that begins here."""
        self.paths.append(path)
        return len(self.paths)

    def is_unclear(self, reference: Reference) -> bool:
        """Tells whether the two languages may read a reference to one of these groups differently."""
        if any(box.behind for box in reference.path):
            return True
        if not reference.is_closed:
            return False
        group = self.paths[reference.group - 1]
        shared = sum(1 for one, other in zip(group, reference.path, strict=False) if one is other)
        if any(box.negative or box.loops for box in group[shared:]):
            return True
        return any(box.loops for box in group[:shared]) and any(box.unsure for box in group[shared:])
