"""Types of tables. pandas annotates itself, and calls most selections `DataFrame | Series`: these say what is meant."""

from typing import Any, TypeAlias

Frame: TypeAlias = Any
"""A `pandas.DataFrame`."""

Column: TypeAlias = Any
"""A `pandas.Series`."""
