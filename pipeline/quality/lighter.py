"""A library loaded without the parts that nothing here uses: stand-ins take their place meanwhile.

Belongs here: three kinds of stand-ins for modules, and putting them in place while something is
imported. Does not belong here: which parts of which library are not used (``library``).
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


class Later(ModuleType):
    """Stands for a module until something is asked of it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)


class NotLoadedError(RuntimeError):
    """Something was asked of a class that was left out."""


class _LeftOut:
    """Any class of a module that was left out; it can be named, but not used."""

    def __init__(self, *_: object, **__: object) -> None:
        kind = type(self)
        raise NotLoadedError(
            f"{kind.__module__}.{kind.__name__} is left out when the library is loaded, because nothing "
            "here used it; see pipeline/quality/library.py"
        )


class Unused(ModuleType):
    """Stands for a module whose classes are named by others, and never used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (_LeftOut,), {"__module__": self.__name__})
        setattr(self, name, made)
        return made


@contextmanager
def without(
    *, later: Iterable[str] = (), unused: Iterable[str] = (), absent: Iterable[str] = ()
) -> Iterator[None]:
    """Let imports inside go on without some modules; those already loaded are left alone.

    Args:
        later: bound as they are, loaded when something is asked of them.
        unused: never loaded; their classes can be named.
        absent: as if they were not installed.
    """
    wanted: Mapping[str, ModuleType | None] = {
        **{name: Later(name) for name in later},
        **{name: Unused(name) for name in unused},
        **dict.fromkeys(absent),
    }
    put = {name: stand_in for name, stand_in in wanted.items() if name not in sys.modules}
    sys.modules.update(put)  # type: ignore[arg-type] - None is how Python says "absent"
    try:
        yield
    finally:
        for name, stand_in in put.items():
            if name in sys.modules and sys.modules[name] is stand_in:
                del sys.modules[name]


@contextmanager
def no_collection() -> Iterator[None]:
    """Have Python not look for garbage inside: a library that is loaded makes none, and much that is kept."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
