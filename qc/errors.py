"""Every error this package raises on purpose: one tree, one sentence each, with a way out.

QCError
+-- SettingsError                a setting, profile or cohort file is wrong
+-- RunError                     a run folder or its store cannot be used
+-- RefusedError                 a change that this person may not make, or not now
+-- ManifestError                a manifest is missing, damaged or does not hold together
+-- ExchangeError                a file from another program cannot be used, or a result not be put into its format
+-- WeightsError                 a network's weights are missing, damaged or for something else
+-- SlideError                   this slide cannot be assessed; `reason` says which way
    +-- UnopenableSlideError
    +-- TruncatedSlideError
    +-- MissingMppError
    +-- ImplausibleMppError
    +-- TooSmallError
    +-- NoUsableLevelError
    +-- OnlyPaddingError
    +-- NotBrightfieldError
    +-- ImplausibleColourError
    +-- NoTissueError
"""

from typing import ClassVar


class QCError(Exception):
    """What went wrong and where, in one sentence.

    Attributes:
        message: The sentence, without a full stop.
        hint: The way out, as an instruction; may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(message, hint)  # both, so that the error survives pickling between processes

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class SettingsError(QCError):
    """A settings file, verdict profile or cohort specification that cannot be used."""


class RunError(QCError):
    """A run folder or store that cannot be read or written."""


class RefusedError(QCError):
    """A change of the store that this person may not make, or not now."""


class ManifestError(QCError):
    """A manifest that cannot be read, or whose parts do not fit each other."""


class ExchangeError(QCError):
    """A file of another program cannot be used, or a result cannot be given in its format."""


class WeightsError(QCError):
    """Weights of a network that cannot be used."""


class SlideError(QCError):
    """One slide cannot be assessed; becomes an `unassessed` row, never a crash of the run.

    Attributes:
        reason: Short stable code for tables and scripts.
    """

    reason: ClassVar[str] = "slide_error"


class UnopenableSlideError(SlideError):
    """No reader understands the file."""

    reason = "unopenable"


class TruncatedSlideError(SlideError):
    """The file opens, but its pixels cannot be decoded."""

    reason = "truncated"


class MissingMppError(SlideError):
    """The file does not say how large a pixel is."""

    reason = "mpp_missing"


class ImplausibleMppError(SlideError):
    """The file states a pixel size that no slide scanner produces."""

    reason = "mpp_implausible"


class TooSmallError(SlideError):
    """The scanned area is too small to hold a piece of tissue."""

    reason = "too_small"


class NoUsableLevelError(SlideError):
    """The pyramid has no level coarse enough to look at the whole slide in bounded memory."""

    reason = "no_usable_level"


class OnlyPaddingError(SlideError):
    """Nothing but padding or unscanned area."""

    reason = "only_padding"


class NotBrightfieldError(SlideError):
    """Light on black: fluorescence or dark field."""

    reason = "not_brightfield"


class ImplausibleColourError(SlideError):
    """Colours that glass and stain cannot have, such as undeclared YCbCr."""

    reason = "colour_implausible"


class NoTissueError(SlideError):
    """The scanned area holds no tissue."""

    reason = "no_tissue"
