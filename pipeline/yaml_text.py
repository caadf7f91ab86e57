"""Reading YAML: with libyaml where it is there, because the reviewed data files are read at every start.

PyYAML's own parser takes eight times as long; the 58 files of the package cost it 0.8 seconds, and three
processes of a refresh parse the same files. So `make env` keeps what the package's own files say beside
its compiled modules (``pipeline.compiled``). What is kept names the text it was made of: of
another text, by another parser or damaged it is not taken, and the text is parsed.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline.beside import PACKAGE, keep, kept


class YamlError(Exception):
    """A text is no YAML document; the message says where and why."""


def parse_yaml(text: str) -> Any:
    """The document in ``text``.

    Raises:
        YamlError: when it is none.
    """
    import yaml  # slow to import, and most processes read only what is kept

    try:
        return yaml.load(text, Loader=_loader())  # noqa: S506 - the safe loader, in C
    except yaml.YAMLError as error:
        raise YamlError(str(error)) from error
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        # A day that no calendar has, or "!!timestamp x": the loader's own slips.
        raise YamlError(f"a value cannot be read ({error})") from error


@cache
def _loader() -> Any:
    """The safe subset, no Python objects, in C where it is there; a key given twice is refused.

    YAML forbids it, and the library takes the last of them: a line that was changed may be the other.
    """
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen: set[str] = set()
            for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
                if isinstance(key, yaml.ScalarNode):
                    if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                        raise yaml.constructor.ConstructorError(
                            "while reading a mapping",
                            node.start_mark,
                            f"found the key {key.value!r} twice; leave one of them out",
                            key.start_mark,
                        )
                    seen.add(key.value)
            return super().construct_mapping(node, deep)

    return Loader


def read_yaml(path: Path) -> Any:
    """The document of a UTF-8 file.

    Raises:
        OSError, UnicodeDecodeError: when it cannot be read.
        YamlError: when it holds none.
    """
    text = path.read_text(encoding="utf-8")
    document = kept(path, _told(text))
    return parse_yaml(text) if document is None else document


def keep_parsed() -> int:
    """Keep what the YAML files of the package say; returns how many there are."""
    paths = sorted(PACKAGE.rglob("*.yaml"))
    for path in paths:
        text = path.read_text(encoding="utf-8")
        keep(path, _told(text), parse_yaml(text))
    return len(paths)


def _told(text: str) -> str:
    return f"{_parser()} {hashlib.sha256(text.encode()).hexdigest()}"


@cache
def _parser() -> str:
    return version("pyyaml")
