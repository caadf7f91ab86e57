"""The demonstration's raw tree: made once for each version of its generator."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from pathlib import Path

from pipeline.ingest.files import has_data
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


def or_demonstration(settings: Settings) -> Settings:
    """The settings as they are, or on the demonstration when the raw folder holds no files."""
    if has_raw_files(settings):
        return settings
    return settings.model_copy(update={"raw": demonstration_tree(settings)})
