"""An old build made again from the files it was made of, and compared with what it was.

A published database names its inputs itself: ``meta.source_file`` has the hash of every raw file and
``meta.build`` the settings. So the file that somebody cites is all that is needed, besides the raw
files: fetches keep every version of a file, and a version is found by its content, whatever its name
is now.

Belongs here: finding the inputs, the run, the comparison. Does not belong here: keeping raw files
(``fetch``) or telling two builds' figures apart (``compare``).
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from pipeline.ingest.files import list_raw_files
from pipeline.plain_text import plural
from pipeline.refresh.context import Progress
from pipeline.refresh.demonstration import demonstration_tree
from pipeline.refresh.run import refresh
from pipeline.schema import all_tables
from pipeline.settings import DEMONSTRATION_MARKER, Settings

#: Tables about the run and its predecessors, not about the files.
OF_THE_RUN = frozenset({"meta.build", "meta.figure_history", "meta.change"})


class InputsMissingError(RuntimeError):
    """Raw files of the old build are not here; the message names them."""


@dataclass
class Rebuilt:
    """How it ended.

    Attributes:
        old: identifier of the build that was made again.
        new: identifier of the build made now.
        same: tables with the same rows.
        different: rows that only one of the two has, by table.
        notes: what can explain a difference: another version or commit of the code, other libraries.
    """

    old: str
    new: str
    same: list[str] = field(default_factory=list)
    different: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def is_same(self) -> bool:
        """Whether every compared table has the same rows."""
        return not self.different


def rebuild(
    database: Path, settings: Settings, out: Path, *, progress: Progress | None = None
) -> Rebuilt:
    """Make the build of a database again from the raw files here.

    Args:
        database: the published file of the old build.
        settings: where the raw files are; labels and corrections are used as they are now.
        out: an empty or new folder for the new build; never the folder of publications.
        progress: who is told how far it is.

    Returns:
        The comparison, table by table.

    Raises:
        InputsMissingError: when a raw file of the old build is not here in that version.
        FileExistsError: when ``out`` holds something.
    """
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty; name a new folder")
    connection = duckdb.connect(str(database), read_only=True)
    try:
        build_id, is_demo, told, version, commit, libraries = connection.execute(
            "select build_id, is_demo, settings, version, git_commit, libraries from meta.build"
        ).fetchall()[0]
        inputs = connection.execute(
            "select path, sha256 from meta.source_file where source_id <> 'inbox' order by path"
        ).fetchall()
    finally:
        connection.close()
    raw = out / "raw"
    kept = settings.raw
    if is_demo and not (kept / DEMONSTRATION_MARKER).exists():
        # `make run` without files never lays it into the raw folder
        kept = demonstration_tree(settings)
    _gather(inputs, kept, raw, is_demo=is_demo)
    again = Settings(
        **json.loads(told),
        raw=raw,
        out=out,
        labels=settings.labelled_payments,
        corrections=settings.corrections,
        offline=True,
    )
    done = Rebuilt(build_id, refresh(again, force=True, progress=progress).build_id)
    _compare(database, out / "fivepercent.duckdb", done)
    _notes(out / "fivepercent.duckdb", done, version, commit, json.loads(libraries))
    return done


def _gather(inputs: list[tuple[str, str]], kept: Path, raw: Path, *, is_demo: bool) -> None:
    """Lay the versions of the old build out under their old names."""
    here: dict[str, list[str]] = {}
    for file in list_raw_files(kept):
        here.setdefault(file.sha256, []).append(file.path)
    missing = [(path, sha) for path, sha in inputs if sha not in here]
    if missing:
        first = "\n".join(f"  - {path} (sha256 {sha[:12]}...)" for path, sha in missing[:10])
        more = f"\n  and {len(missing) - 10:,} more" if len(missing) > 10 else ""
        raise InputsMissingError(
            f"{len(missing):,} of {plural(len(inputs), 'file')} of the old build are not in {kept} in that "
            f"version:\n{first}{more}\nBring them back (fetch keeps old versions) and try again."
        )
    for path, sha in inputs:
        target = raw / path
        target.parent.mkdir(parents=True, exist_ok=True)
        source = kept / (path if path in here[sha] else here[sha][0])
        try:
            os.link(source, target)  # raw files are never changed, so a second name is enough
        except OSError:
            shutil.copyfile(source, target)
    raw.mkdir(parents=True, exist_ok=True)
    if is_demo:
        shutil.copyfile(kept / DEMONSTRATION_MARKER, raw / DEMONSTRATION_MARKER)


def _compare(old: Path, new: Path, done: Rebuilt) -> None:
    connection = duckdb.connect()
    try:
        for name, path in (("old", old), ("new", new)):
            told = str(path.resolve()).replace("'", "''")
            connection.execute(f"attach '{told}' as {name} (read_only)")
        for name in all_tables():
            if name in OF_THE_RUN:
                continue
            try:
                differing = sum(
                    int(
                        connection.execute(
                            f"select count(*) from (from {a}.{name} except all from {b}.{name})"
                        ).fetchall()[0][0]
                    )
                    for a, b in (("old", "new"), ("new", "old"))
                )
            except duckdb.Error as error:
                done.different[name] = -1
                done.notes.append(f"{name} cannot be compared: {str(error).splitlines()[0]}")
                continue
            if differing:
                done.different[name] = differing
            else:
                done.same.append(name)
    finally:
        connection.close()


def _notes(
    new: Path, done: Rebuilt, version: str, commit: str | None, libraries: dict[str, str]
) -> None:
    connection = duckdb.connect(str(new), read_only=True)
    now, now_commit, now_libraries = connection.execute(
        "select version, git_commit, libraries from meta.build"
    ).fetchall()[0]
    connection.close()
    if (now, now_commit) != (version, commit):
        done.notes.append(
            f"Made now with fivepercent {now} ({(now_commit or 'no commit')[:12]}), then with "
            f"{version} ({(commit or 'no commit')[:12]}): check that commit out for the same figures."
        )
    changed = {
        name: (v, json.loads(now_libraries).get(name))
        for name, v in libraries.items()
        if json.loads(now_libraries).get(name) != v
    }
    if changed:
        listed = ", ".join(f"{n} {a} then, {b} now" for n, (a, b) in changed.items())
        done.notes.append(f"Other libraries: {listed}.")
    if "marts.milestone" in done.different:
        done.notes.append("marts.milestone is judged on the day of the run (judged_on).")
