"""What every configuration dataclass shares."""

from pydantic import ConfigDict

STRICT = ConfigDict(extra="forbid", strict=True, revalidate_instances="always", use_attribute_docstrings=True)
"""Put on a config dataclass as `__pydantic_config__`: unknown keys and values of another type are refused."""
