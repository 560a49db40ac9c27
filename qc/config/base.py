"""The base of every settings model: frozen, unknown keys are errors."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """A frozen group of settings; every field states its unit in its name or description."""

    model_config = ConfigDict(frozen=True, extra="forbid")
