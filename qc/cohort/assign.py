"""Dealing units into parts by iterative stratification. In: traits of units and shares of parts. Out: a part each.

Sechidis, Tsoumakas and Vlahavas 2011 (doi:10.1007/978-3-642-23808-6_10): the rarest trait is dealt first, each unit to
the part that still wants most of it. Here parts are also filled to exact sizes, so no part grows at the cost of others,
and between traits as rare, and parts that want a unit as much, the label decides: a part without one is of no use.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from qc.cohort.strata import Trait
from qc.errors import SettingsError


def part_sizes(units: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Whole numbers of units nearest to the shares (largest remainders); they add up to `units`.

    >>> part_sizes(11, {"train": 0.7, "test": 0.3})
    {'train': 8, 'test': 3}

    Raises:
        SettingsError: If a part would be empty.
    """
    exact = {part: share * units for part, share in shares.items()}
    sizes = {part: math.floor(size + 1e-9) for part, size in exact.items()}
    by_remainder = sorted(exact, key=lambda part: sizes[part] - exact[part])
    for part in by_remainder[: units - sum(sizes.values())]:
        sizes[part] += 1
    for part, size in sizes.items():
        if size == 0:
            raise SettingsError(
                f"{units} patients are too few for {len(shares)} parts: {part} would be empty",
                "ask for fewer folds or a larger share",
            )
    return sizes


def assign(
    traits: Sequence[frozenset[Trait]], slides: Sequence[int], shares: Mapping[str, float], seed: int
) -> list[str]:
    """The part of each unit.

    Args:
        traits: What shall be alike in all parts, unit by unit, in an order that does not depend on the table.
        slides: Slides of each unit; they decide between parts that want a unit equally.
        shares: Share of the units (0-1) for each part; they add up to 1.
        seed: Decides what is left to chance.

    Raises:
        SettingsError: If a part would be empty.
    """
    rng = np.random.default_rng(seed)
    parts = list(shares)
    room = np.array(list(part_sizes(len(traits), shares).values()))
    share = np.array([shares[part] for part in parts])
    wanted = {trait: share * sum(trait in own for own in traits) for trait in sorted(frozenset().union(*traits))}
    slides_wanted = share * sum(slides)
    left = set(range(len(traits)))
    chosen = [""] * len(traits)
    order = rng.permutation(len(traits)).tolist()
    while left:
        trait, members = _rarest(traits, left)
        for unit in [i for i in order if i in members]:
            wish = wanted[trait] if trait else room / share
            all_wishes = sum((wanted[own] for own in sorted(traits[unit])), np.zeros(len(parts)))
            label_wishes = sum((wanted[own] for own in sorted(traits[unit]) if _is_label(own)), np.zeros(len(parts)))
            chance = rng.random(len(parts))
            part = max(
                np.flatnonzero(room).tolist(),
                key=lambda j: (
                    *(round(wishes[j], 9) for wishes in (wish, label_wishes, all_wishes)),
                    *(room[j], slides_wanted[j], chance[j]),
                ),
            )
            chosen[unit] = parts[part]
            room[part] -= 1
            slides_wanted[part] -= slides[unit]
            for own in traits[unit]:
                wanted[own][part] -= 1
            left.remove(unit)
    return chosen


def _is_label(trait: Trait) -> bool:
    return len(trait) == 2 and trait[0] == "label"


def _rarest(traits: Sequence[frozenset[Trait]], left: set[int]) -> tuple[Trait, set[int]]:
    """The trait that fewest units still to be dealt have, the label's before others; none when no unit has any."""
    members: dict[Trait, set[int]] = {}
    for unit in left:
        for trait in traits[unit]:
            members.setdefault(trait, set()).add(unit)
    if not members:
        return (), set(left)
    trait = min(members, key=lambda trait: (len(members[trait]), trait[0] != "label", trait))
    return trait, members[trait]
