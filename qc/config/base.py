"""The base of every settings model: frozen; unknown keys and numbers that are none are errors."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """A frozen group of settings; every field states its unit in its name or description."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
