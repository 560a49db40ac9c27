"""All settings of an assessment, and their fingerprint."""

import hashlib
from collections.abc import Sequence

from pydantic import Field

from qc.config.artefact import ClassicalSettings
from qc.config.base import Settings
from qc.config.profile import Profile
from qc.config.reading import ReadingSettings
from qc.config.sanity import SanitySettings
from qc.config.stage import StageSettings
from qc.config.tissue import TissueSettings


class AssessSettings(Settings):
    """Everything that decides how a slide is assessed, verdict limits aside; a TOML file may set any of it."""

    reading: ReadingSettings = Field(default_factory=ReadingSettings, description="Which pixels are read, and how.")
    sanity: SanitySettings = Field(default_factory=SanitySettings, description="What a slide must be.")
    tissue: TissueSettings = Field(default_factory=TissueSettings, description="How tissue is found.")
    artefact: StageSettings = Field(default_factory=StageSettings, description="What finds artefacts.")
    classical: ClassicalSettings = Field(default_factory=ClassicalSettings, description="Rules of the artefact stage.")


def settings_fingerprint(
    settings: AssessSettings, profile: Profile, mpp_given: float | None = None, networks: Sequence[str] = ()
) -> str:
    """SHA-256 over every setting, the profile, the caller's mpp and the networks: equal ones mean equal results.

    Args:
        settings: How slides are assessed.
        profile: Limits of the verdict.
        mpp_given: The caller's micrometres per pixel.
        networks: Hashes of the networks that the settings name.
    """
    parts = (settings.model_dump_json(), profile.model_dump_json(), repr(mpp_given and float(mpp_given)), *networks)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
