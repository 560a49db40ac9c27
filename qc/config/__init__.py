"""Frozen settings from TOML: every field has a unit, unknown keys are errors, the whole has a fingerprint."""
