"""Read every ``sources/*.yaml`` into the catalogue.

Belongs here: loading, and the rules that hold between entries.
Does not belong here: the rules inside one entry (``models``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from pipeline.catalogue.models import Source
from pipeline.yaml_text import YamlError, read_yaml

SOURCES = Path(__file__).with_name("sources")


class CatalogueError(ValueError):
    """A catalogue file does not follow the models; the message names the file and the field."""


@dataclass(frozen=True)
class Catalogue:
    """All sources, in alphabetical order of id."""

    sources: tuple[Source, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, which are also the folder names under ``data/raw``."""
        return tuple(source.id for source in self.sources)

    def source(self, source_id: str) -> Source:
        """The source of this id.

        Raises:
            KeyError: no such source; the message lists those there are.
        """
        for source in self.sources:
            if source.id == source_id:
                return source
        raise KeyError(f"no source {source_id!r}; there are: {', '.join(self.ids)}")

    @property
    def hosts(self) -> frozenset[str]:
        """Every host any source may be downloaded from."""
        return frozenset().union(*(source.allowed_hosts for source in self.sources))


def load_sources(folder: Path) -> Catalogue:
    """Read the catalogue from a folder of YAML files.

    Args:
        folder: holds one ``<source id>.yaml`` a source.

    Raises:
        CatalogueError: a file is not YAML, does not fit the models, or is misnamed.
    """
    sources: list[Source] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            content = read_yaml(path)
            source = Source.model_validate(content)
        except YamlError as error:
            raise CatalogueError(f"{path.name}: not valid YAML: {error}") from error
        except ValidationError as error:
            lines = [
                f"{'.'.join(str(part) for part in one['loc']) or 'entry'}: {one['msg']}"
                for one in error.errors()
            ]
            raise CatalogueError(f"{path.name}: " + "; ".join(lines)) from error
        if path.stem != source.id:
            raise CatalogueError(f"{path.name}: id is {source.id!r}; file and id must agree")
        sources.append(source)
    if not sources:
        raise CatalogueError(f"no catalogue files (*.yaml) in {folder}")
    return Catalogue(tuple(sources))


@cache
def load_catalogue() -> Catalogue:
    """The catalogue that comes with the package, read once a process."""
    return load_sources(SOURCES)
