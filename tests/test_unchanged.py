"""Sources and the dictionary are made again exactly when what they are made of, or they, changed."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.ingest.sources import organisations
from pipeline.refresh import RefreshFailedError, dictionary, meta, refresh, sources
from pipeline.refresh.context import Run
from pipeline.refresh.dictionary import build_dictionary
from pipeline.refresh.sources import SOURCES, Source, build_source, register_of
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.demo import Truth

pytestmark = pytest.mark.processes


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sources that were read, in their order."""
    seen: list[str] = []
    load = Source.load

    def counted(self: Source):
        seen.append(self.source_id)
        return load(self)

    monkeypatch.setattr(Source, "load", counted)
    return seen


def build(raw: Path, out: Path, *, force: bool = False) -> dict[str, str]:
    """Build the small sources; the hash of every file of the working store that is theirs."""
    run = Run(Settings(raw=raw, out=out), force=force)
    sources.build_reference_dims(run)
    sources.build_organisations(run)
    for source in SOURCES:
        assert build_source(run, source, register_of(run)) == {
            source.table: run.store.rows(source.table)
        }
    found = [
        *(run.settings.work / "parts").glob("*.parquet"),
        *run.settings.tables.rglob("*.parquet"),
    ]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def test_only_the_source_that_changed_is_read(
    small_demo: tuple[Path, Truth], tmp_path: Path, read: list[str]
) -> None:
    raw, out = tmp_path / "raw", tmp_path / "out"
    shutil.copytree(small_demo[0], raw)
    first = build(raw, out)
    assert len(read) == len(SOURCES)
    assert build(raw, out) == first
    assert len(read) == len(SOURCES)

    accounts = next(p for p in sorted((raw / "provider_accounts").rglob("*")) if p.is_file())
    accounts.unlink()
    read.clear()
    less = build(raw, out)
    assert read == ["provider_accounts"]
    assert less["account_line.parquet"] != first["account_line.parquet"]
    assert less == build(raw, tmp_path / "cold")


@pytest.mark.parametrize(
    "name", ["tables/facts/workforce.parquet", "parts/workforce.files.parquet"]
)
@pytest.mark.parametrize("damage", ["gone", "other bytes"])
def test_what_is_not_as_it_was_made_is_made_again(
    small_demo: tuple[Path, Truth], tmp_path: Path, read: list[str], name: str, damage: str
) -> None:
    first = build(small_demo[0], tmp_path)
    path = tmp_path / ".work" / name
    whole = path.read_bytes()
    path.unlink() if damage == "gone" else path.write_bytes(whole[:-1] + b"!")
    read.clear()
    assert build(small_demo[0], tmp_path) == first
    assert read == ["workforce"]


def test_a_forced_run_and_another_register_read_everything(
    small_demo: tuple[Path, Truth], tmp_path: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build(small_demo[0], tmp_path)
    read.clear()
    assert build(small_demo[0], tmp_path, force=True) == first
    assert len(read) == len(SOURCES)
    monkeypatch.setattr("pipeline.refresh.unchanged.code_hash", lambda: "other code")
    read.clear()
    assert build(small_demo[0], tmp_path) == first
    assert len(read) == len(SOURCES)


@pytest.mark.parametrize(
    "change", ["nothing", "sectors", "gone", "as read", "a part", "boards", "another file", "force"]
)
def test_the_register_is_read_again_only_where_it_or_what_was_made_of_it_changed(
    small_demo: tuple[Path, Truth], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    raw, out = tmp_path / "raw", tmp_path / "out"
    shutil.copytree(small_demo[0], raw)
    first = build(raw, out)
    times: list[int] = []
    read_all = organisations.read_organisations
    monkeypatch.setattr(
        organisations, "read_organisations", lambda *a, **k: times.append(1) or read_all(*a, **k)
    )
    register = out / ".work/tables/dims/organisation.parquet"
    if change == "sectors":  # as the end of reading leaves it
        before = register.read_bytes()
        sources.finish_organisations(Run(Settings(raw=raw, out=out)))
        assert register.read_bytes() != before
    elif change == "gone":
        register.unlink()
    elif change == "another file":
        next(p for p in sorted((raw / "organisations").rglob("*.csv"))).unlink()
    elif change not in ("nothing", "force"):
        name = {"as read": "unchanged/organisation", "a part": "parts/organisations.files"}
        path = out / ".work" / f"{name.get(change, 'tables/dims/icb_membership')}.parquet"
        path.write_bytes(path.read_bytes()[:-1] + b"!")
    again = build(raw, out, force=change == "force")
    assert len(times) == (change not in ("nothing", "sectors", "gone"))
    assert again == (build(raw, tmp_path / "cold") if change == "another file" else first)


def test_the_dictionary_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(Settings(raw=tmp_path, out=tmp_path / "out"))
    made: list[int] = []
    tables = dictionary._tables
    monkeypatch.setattr(dictionary, "_tables", lambda: made.append(1) or tables())
    first = build_dictionary(run)
    assert build_dictionary(run) == first
    assert made == [1]
    run.store.files("meta.example")[0].unlink()
    assert build_dictionary(run) == first
    assert made == [1, 1]


def test_what_failed_its_checks_is_read_again_the_next_time(
    small_demo: tuple[Path, Truth], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(raw=small_demo[0], out=tmp_path / "out", offline=True, threads=1)
    honest = sources.correct_facts
    monkeypatch.setattr(sources, "correct_facts", lambda *a: honest(*a)[:-1])
    with pytest.raises(RefreshFailedError, match=r"blocking check.* on facts failed"):
        refresh(settings)
    monkeypatch.setattr(sources, "correct_facts", honest)
    assert refresh(settings).published


def test_a_merger_that_came_due_is_reason_to_build_again(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    run = Run(Settings(raw=tmp_path / "raw", out=tmp_path / "out"))
    days = run.settings.work / sources.DAYS_TO_COME
    days.parent.mkdir(parents=True)
    days.write_text('["2999-04-01"]')
    before = meta.fingerprint(run)
    assert sources.changes_due(run) == 0
    days.write_text('["2020-04-01", "2999-04-01"]')
    assert sources.changes_due(run) == 1
    assert meta.fingerprint(run) != before
    days.write_text("no list")
    assert meta.fingerprint(run) == before
