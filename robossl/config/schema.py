"""What every configuration dataclass shares: strictness, and numbers with their ranges."""

from pathlib import Path
from typing import Annotated

import tyro
from pydantic import ConfigDict, Field

STRICT = ConfigDict(extra="forbid", strict=True, revalidate_instances="always", use_attribute_docstrings=True)
"""Put on a config dataclass as `__pydantic_config__`: unknown keys and values of another type are refused."""

Count = Annotated[int, Field(ge=0)]
"""0 or more; seeds are counts too, since NumPy takes no negative one."""
Positive = Annotated[int, Field(ge=1)]
"""1 or more."""
Pixels = Annotated[int, Field(ge=1, le=2048)]
"""A side of a picture [px]; the limit is that of the envs."""
Finite = Annotated[float, Field(allow_inf_nan=False)]
"""Any number but infinity and what is none."""
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""0 or more, finite."""
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
"""Above 0, finite."""
Share = Annotated[float, Field(ge=0, le=1)]
"""0 to 1, both included."""
OptionalPath = Annotated[Path | None, tyro.conf.arg(metavar="PATH")]
"""A path or None; help shows the path alone."""
