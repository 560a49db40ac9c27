"""Classes, verdicts and stages: ids, names, colours and remedies, stated once.

The values of `ArtefactClass` are those of GrandQC's published masks (Weng et al. 2024,
doi:10.1038/s41467-024-54769-y), so maps of either tool can be compared; append only.
"""

from enum import IntEnum, StrEnum


class ArtefactClass(IntEnum):
    """What a cell of an artefact map shows; uint8 in every raster."""

    UNASSESSED = 0
    CLEAN = 1
    FOLD = 2
    FOREIGN = 3
    PEN = 4
    BUBBLE = 5
    OUT_OF_FOCUS = 6
    GLASS = 7

    @property
    def label(self) -> str:
        """Lower-case name for people: `out of focus`."""
        return self.name.lower().replace("_", " ")

    @property
    def colour(self) -> tuple[int, int, int]:
        """RGB, chosen to stay apart over eosin, haematoxylin and glass, colour-blind readers included."""
        return _COLOURS[self]

    @property
    def hex_colour(self) -> str:
        """The colour as CSS writes it.

        >>> ArtefactClass.FOLD.hex_colour
        '#0033a0'
        """
        return "#{:02x}{:02x}{:02x}".format(*self.colour)

    @property
    def remedy(self) -> str:
        """What a technician does about it; empty for clean tissue and glass."""
        return _REMEDIES[self]

    @property
    def is_artefact(self) -> bool:
        """True for the classes that ruin tissue."""
        return self in ARTEFACTS


IGNORE = 255
"""In rasters of training and truth: nobody is held to this pixel; no loss and no figure looks at it."""

ARTEFACTS = (
    ArtefactClass.FOLD,
    ArtefactClass.FOREIGN,
    ArtefactClass.PEN,
    ArtefactClass.BUBBLE,
    ArtefactClass.OUT_OF_FOCUS,
)

_COLOURS = {
    ArtefactClass.UNASSESSED: (128, 128, 128),
    ArtefactClass.CLEAN: (214, 214, 214),
    ArtefactClass.FOLD: (0, 51, 160),
    ArtefactClass.FOREIGN: (0, 122, 61),
    ArtefactClass.PEN: (0, 0, 0),
    ArtefactClass.BUBBLE: (0, 213, 255),
    ArtefactClass.OUT_OF_FOCUS: (255, 232, 0),
    ArtefactClass.GLASS: (255, 255, 255),
}

_REMEDIES = {
    ArtefactClass.UNASSESSED: "check the file or re-scan",
    ArtefactClass.CLEAN: "",
    ArtefactClass.FOLD: "re-cut",
    ArtefactClass.FOREIGN: "clean and re-scan",
    ArtefactClass.PEN: "clean and re-scan",
    ArtefactClass.BUBBLE: "re-coverslip and re-scan",
    ArtefactClass.OUT_OF_FOCUS: "re-scan",
    ArtefactClass.GLASS: "",
}


class Verdict(StrEnum):
    """What may happen to a slide next, best first."""

    USABLE = "usable"
    REVIEW = "review"
    REJECT = "reject"
    UNASSESSED = "unassessed"

    @property
    def icon(self) -> str:
        """A sign beside the word, for those who see no colours."""
        return _SIGNS[self][0]

    @property
    def hex_colour(self) -> str:
        """The colour as CSS writes it; dark enough for white letters on it, and for letters of it on white."""
        return _SIGNS[self][1]


_SIGNS = {
    Verdict.USABLE: ("\N{CHECK MARK}", "#1a7f37"),
    Verdict.REVIEW: ("?", "#9a5b00"),
    Verdict.REJECT: ("\N{MULTIPLICATION X}", "#b3152a"),
    Verdict.UNASSESSED: ("!", "#6a4ca0"),
}
