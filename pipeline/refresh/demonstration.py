"""The demonstration's raw tree, made once for each version of its generator, and when it may be read.

It stands in for files where nobody has put any yet. It never stands in for files that somebody named,
nor does it take the place of a publication about real organisations without being asked for.
"""

from __future__ import annotations

import hashlib
import shutil
import uuid
from pathlib import Path

import polars as pl

from pipeline.ingest.files import has_data
from pipeline.refresh.gates import RefreshFailedError
from pipeline.refresh.inbox import inbox_files
from pipeline.settings import DEMONSTRATION_MARKER, Settings

#: How long to wait for another process that makes the same tree.
WAIT_SECONDS = 600


def demonstration_tree(settings: Settings) -> Path:
    """The raw tree of the demonstration below the out folder, made when it is not there.

    Args:
        settings: says where the publication goes; the tree lies beside it, outside ``data/raw``.

    Returns:
        The folder to give as ``raw``.

    Raises:
        OSError: where it cannot be written, or another process takes longer than ten minutes over it.
    """
    import pipeline.demo

    source = Path(pipeline.demo.__file__).parent
    digest = hashlib.sha256(b"".join(p.read_bytes() for p in sorted(source.rglob("*.py"))))
    folder = settings.out / ".demonstration"
    raw = folder / f"raw-{digest.hexdigest()[:16]}"
    if not (raw / DEMONSTRATION_MARKER).exists():
        from filelock import FileLock

        folder.mkdir(parents=True, exist_ok=True)
        lock = folder / "lock"
        with FileLock(str(lock), timeout=WAIT_SECONDS):  # the lock of the refresh begins later
            if not (raw / DEMONSTRATION_MARKER).exists():
                for older in folder.iterdir():
                    if older != lock:
                        shutil.rmtree(older, ignore_errors=True)
                half = folder / f"half-{uuid.uuid4().hex[:8]}"
                pipeline.demo.generate(half)
                half.rename(raw)
    return raw


def has_raw_files(settings: Settings) -> bool:
    """Whether there is anything to read, filed or still in the inbox."""
    raw = settings.raw
    try:
        return raw.is_dir() and (bool(inbox_files(raw)) or has_data(raw))
    except OSError:  # there is something that may not be looked at, and the refresh says so
        return True


def or_demonstration(settings: Settings, *, named: bool = False) -> Settings:
    """The settings as they are, or on the demonstration when the raw folder holds no files.

    Args:
        settings: where the raw files are and where the publication goes.
        named: whether the raw folder was named for this run alone.

    Raises:
        RefreshFailedError: see :func:`refuse_demonstration`.
    """
    if has_raw_files(settings):
        return settings
    refuse_demonstration(settings, named=named)
    return settings.model_copy(update={"raw": demonstration_tree(settings)})


def refuse_demonstration(settings: Settings, *, named: bool = False) -> None:
    """End where the demonstration, which nobody asked for, must not stand in for files that are missing.

    Args:
        settings: whose raw folder holds no files.
        named: whether the raw folder was named for this run alone.

    Raises:
        RefreshFailedError: when somebody named a folder that is not there, or files for this run; or
            when a publication about real organisations would go.
    """
    raw, out = settings.raw, settings.out
    if "raw" in settings.model_fields_set and not raw.is_dir():
        raise RefreshFailedError(
            f"there is no folder {raw}; name a tree laid out <source id>/<file>, or run with --demo"
        )
    if named:
        raise RefreshFailedError(
            f"no files below {raw}; lay them out as <source id>/<file>, or run with --demo"
        )
    if _is_real(out):
        raise RefreshFailedError(
            f"no files below {raw}, and the publication in {out} is about real organisations, so the "
            "demonstration does not take its place. Bring the files back; the demonstration goes to "
            "another folder with fivepercent refresh --demo --out FOLDER"
        )


def _is_real(out: Path) -> bool:
    """Whether the publication is about organisations that exist; not where it cannot be read."""
    try:
        about = pl.read_parquet(out / "current" / "parquet" / "meta" / "build.parquet")
        return not about["is_demo"].any()
    except (OSError, pl.exceptions.PolarsError):
        return False
