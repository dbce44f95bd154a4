"""The configuration as a file, for commands; Snakemake reads it itself."""

from __future__ import annotations

from pathlib import Path

import yaml

from simhand.config import Config, load_config
from simhand.errors import ConfigError


def read_config(path: Path) -> Config:
    """Reads and checks a configuration.

    Raises:
        ConfigError: there is no such file, it is no YAML, or it says what cannot be.
    """
    try:
        values = yaml.safe_load(path.read_bytes())
    except FileNotFoundError:
        hint = "`simhand init` writes one; or call it where you call snakemake"
        raise ConfigError("there is no such configuration", where=path, hint=hint) from None
    except OSError as error:
        raise ConfigError("the configuration cannot be read", where=path, got=error.strerror) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}, column {mark.column + 1}" if mark else path
        got = getattr(error, "problem", None) or " ".join(str(error).split())
        raise ConfigError("the configuration is no YAML", where=where, got=got) from None
    return load_config(values or {}, where=path)
