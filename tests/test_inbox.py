"""Files dropped into the inbox are known by content, filed, and never guessed at or overwritten."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import polars as pl
import pytest

from pipeline.demo import Truth
from pipeline.refresh import RefreshFailedError, refresh
from pipeline.refresh.context import Run
from pipeline.refresh.demonstration import has_raw_files, or_demonstration
from pipeline.refresh.filing import InboxOutcome
from pipeline.refresh.inbox import sort_inbox
from pipeline.refresh.run import read_sources
from pipeline.settings import Settings


@pytest.fixture
def raw(small_demo: tuple[Path, Truth], tmp_path: Path) -> Path:
    shutil.copytree(small_demo[0], tmp_path / "raw")
    return with_inbox(tmp_path / "raw")


@pytest.fixture
def published_raw(demo_copy: Settings) -> Path:
    """Raw files of a demonstration that was published beside them."""
    return with_inbox(demo_copy.raw)


def with_inbox(raw: Path) -> Path:
    (raw / "inbox").mkdir()
    for path in raw.rglob("*"):
        if path.is_file() and not path.stat().st_size:
            path.unlink()  # eight trusts hold no care trust, and an empty file is of no kind
    return raw


def settings_of(raw: Path, **more: object) -> Settings:
    return Settings(raw=raw, out=raw.parent / "out", **more)  # type: ignore[arg-type]


def sort(raw: Path, **more: object) -> list[InboxOutcome]:
    return sort_inbox(Run(settings_of(raw, **more)))


def spend_file(raw: Path) -> Path:
    """A csv of payments of one organisation."""
    return sorted((raw / "spend_over_25k").rglob("*.csv"))[0]


def drop(raw: Path, name: str, content: bytes | str) -> Path:
    path = raw / "inbox" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


PAYMENTS = (
    "Department family,Entity,Date,Expense type,Expense area,Supplier,Transaction number,Amount\n"
    "DHSC,{entity},30/04/2021,Computer Hardware,IT,Acme Computers Ltd,101,25001.50\n"
    "DHSC,{entity},30/04/2021,Rates,Estates,Borough Council,102,45001.20\n"
    "DHSC,{entity},29/04/2021,Drugs,Pharmacy,Pharma Ltd,103,95001.00\n"
)


def organisations(raw: Path) -> dict[str, str]:
    """Code -> name of the trusts that publish payments in the demonstration."""
    run = Run(settings_of(raw))
    from pipeline.ingest.sources.organisations import read_organisations

    found = read_organisations(run.files_of("organisations"), is_demo=True).organisation
    names = dict(found.select("organisation_code", "name").iter_rows())
    codes = [p.name for p in sorted((raw / "spend_over_25k").iterdir()) if p.is_dir()]
    return {code: names[code] for code in codes if code in names}


def test_a_whole_tree_thrown_into_the_inbox_comes_back_to_its_sources(raw: Path) -> None:
    before = {}
    for path in sorted(raw.rglob("*")):
        relative = path.relative_to(raw)
        if path.is_file() and len(relative.parts) > 1:
            before[relative.as_posix()] = path.read_bytes()
            hint = relative.parts[1] if len(relative.parts) > 2 else ""
            target = raw / "inbox" / hint / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            assert not target.exists()
            path.rename(target)
    outcomes = sort(raw)
    assert [o.sentence for o in outcomes if o.stays] == []
    after = {
        p.relative_to(raw).as_posix(): p.read_bytes()
        for p in sorted(raw.rglob("*"))
        if p.is_file() and len(p.relative_to(raw).parts) > 1
    }
    assert after == before
    assert {o.kind for o in outcomes} == {path.split("/")[0] for path in before}


def test_payments_find_their_publisher_by_the_entity_they_name(raw: Path) -> None:
    code, name = next(iter(organisations(raw).items()))
    drop(raw, "download (3).csv", PAYMENTS.format(entity=name))
    (outcome,) = sort(raw)
    assert outcome.organisation == code
    assert outcome.filed_as == f"spend_over_25k/{code}/download (3).csv"
    assert (raw / outcome.filed_as).is_file()
    assert not (raw / outcome.path).exists()


def test_payments_of_nobody_known_stay_with_the_three_nearest_names(raw: Path) -> None:
    dropped = drop(raw, "spend.csv", PAYMENTS.format(entity="Nowhere Combined Care NHS Trust"))
    (outcome,) = sort(raw)
    assert outcome.stays
    assert dropped.exists()
    assert "Best guesses" in outcome.reason
    assert outcome.reason.count(";") >= 2
    assert "inbox/RJ1/" in outcome.reason


def test_a_folder_named_by_the_code_says_whose_payments_they_are(raw: Path) -> None:
    code = next(iter(organisations(raw)))
    drop(raw, f"{code}/spend.csv", PAYMENTS.format(entity="Nowhere Combined Care NHS Trust"))
    (outcome,) = sort(raw)
    assert outcome.filed_as == f"spend_over_25k/{code}/spend.csv"


def test_a_folder_that_is_no_known_code_is_not_believed(raw: Path) -> None:
    dropped = drop(
        raw, "ZZZ9/spend.csv", PAYMENTS.format(entity=next(iter(organisations(raw).values())))
    )
    (outcome,) = sort(raw)
    assert outcome.stays
    assert dropped.exists()
    assert "ZZZ9" in outcome.reason


def test_content_and_name_that_point_to_two_organisations_are_not_decided(raw: Path) -> None:
    (code, name), (other, _) = list(organisations(raw).items())[:2]
    drop(raw, f"{other} April 2021.csv", PAYMENTS.format(entity=name))
    (outcome,) = sort(raw)
    assert outcome.stays
    assert code in outcome.reason
    assert other in outcome.reason


def test_payments_of_several_publishers_in_one_file_are_not_decided(raw: Path) -> None:
    (code, name), (other, second) = list(organisations(raw).items())[:2]
    own = PAYMENTS.format(entity=name)
    rest = PAYMENTS.format(entity=second).split("\n", 1)[1].rsplit("\n", 2)[0]
    drop(raw, "group.csv", own + rest + "\n")
    (outcome,) = sort(raw)
    assert outcome.stays
    assert "several publishers" in outcome.reason
    assert code in outcome.reason
    assert other in outcome.reason


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("notes.txt", "buy milk\ncall the plumber\n", "not recognised"),
        ("table.csv", "colour,shape,size\nred,round,3\nblue,square,4\n", "not recognised"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n" + b"0" * 50, "PNG picture"),
        ("empty.csv", b"", "empty"),
        ("broken.xlsx", b"PK\x03\x04 broken", "damaged"),
    ],
)
def test_unknown_kinds_stay_and_say_why(
    raw: Path, name: str, content: bytes | str, said: str
) -> None:
    dropped = drop(raw, name, content)
    (outcome,) = sort(raw)
    assert outcome.stays
    assert outcome.kind is None
    assert said in outcome.reason
    assert dropped.exists()


def test_a_folder_of_another_source_is_a_contradiction_not_an_order(raw: Path) -> None:
    drop(
        raw, "workforce/spend.csv", PAYMENTS.format(entity=next(iter(organisations(raw).values())))
    )
    (outcome,) = sort(raw)
    assert outcome.stays
    assert "workforce" in outcome.reason
    assert "spend_over_25k" in outcome.reason


def test_the_same_content_is_not_filed_twice(raw: Path) -> None:
    original = spend_file(raw)
    code = original.parent.name
    before = sorted(original.parent.iterdir())
    copy = drop(raw, f"{code}/a copy under another name.csv", original.read_bytes())
    (outcome,) = sort(raw)
    assert not copy.exists()
    assert sorted(original.parent.iterdir()) == before
    assert outcome.filed_as == original.relative_to(raw).as_posix()
    assert "already here" in outcome.sentence


def test_equal_content_under_two_names_is_kept_where_the_name_tells_something(raw: Path) -> None:
    register = (raw / "organisations" / "etr.csv").read_bytes()
    drop(raw, "etr_2019-01.csv", register)
    assert [o.filed_as for o in sort(raw)] == ["organisations/etr_2019-01.csv"]
    drop(raw, "etr_2019-01.csv", register)
    assert "already here" in sort(raw)[0].sentence


def test_changed_content_under_a_name_that_exists_becomes_a_later_version(raw: Path) -> None:
    original = spend_file(raw)
    content = original.read_bytes()
    lines = content.splitlines(keepends=True)
    changed = b"".join(lines[:-2])
    drop(raw, f"{original.parent.name}/{original.name}", changed)
    (outcome,) = sort(raw)
    assert original.read_bytes() == content
    assert outcome.filed_as is not None
    assert "~" in outcome.filed_as
    assert (raw / outcome.filed_as).read_bytes() == changed
    old = next(f for f in Run(settings_of(raw)).files if f.absolute == original)
    assert old.superseded_by == outcome.filed_as


def test_another_month_under_a_name_that_exists_does_not_replace_it(raw: Path) -> None:
    code, name = next(iter(organisations(raw).items()))
    drop(raw, "spend.csv", PAYMENTS.format(entity=name))
    assert not sort(raw)[0].stays
    may = PAYMENTS.format(entity=name).replace("/04/2021", "/05/2021")
    dropped = drop(raw, "spend.csv", may)
    (outcome,) = sort(raw)
    assert outcome.stays
    assert dropped.exists()
    assert "April 2021" in outcome.reason
    assert "May 2021" in outcome.reason
    assert sorted(p.name for p in (raw / "spend_over_25k" / code).glob("spend*")) == ["spend.csv"]


def test_unfinished_and_hidden_files_are_left_alone(raw: Path) -> None:
    for name in ("a.csv.part", "b.tmp", "~$c.xlsx", ".d.csv", "README.md"):
        drop(raw, name, "anything")
    assert sort(raw) == []
    assert len(list((raw / "inbox").iterdir())) == 5


def test_links_are_reported_not_followed(raw: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text(PAYMENTS.format(entity=next(iter(organisations(raw).values()))))
    (raw / "inbox" / "link.csv").symlink_to(secret)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.csv").write_text(secret.read_text())
    (raw / "inbox" / "folder").symlink_to(tmp_path / "elsewhere")
    outcomes = sort(raw)
    assert [o.path for o in outcomes] == ["inbox/folder", "inbox/link.csv"]
    assert all(o.stays and "link" in o.reason for o in outcomes)
    assert secret.exists()
    assert (tmp_path / "elsewhere" / "x.csv").exists()


def test_nothing_is_filed_through_a_link_out_of_the_raw_folder(raw: Path, tmp_path: Path) -> None:
    code, name = next(iter(organisations(raw).items()))
    shutil.rmtree(raw / "spend_over_25k" / code)
    (tmp_path / "outside").mkdir()
    (raw / "spend_over_25k" / code).symlink_to(tmp_path / "outside")
    drop(raw, "spend.csv", PAYMENTS.format(entity=name))
    (outcome,) = sort(raw)
    assert outcome.stays
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_file_over_the_limit_stays_unread(raw: Path) -> None:
    path = drop(raw, "large.csv", PAYMENTS)
    os.truncate(path, 2 << 20)
    (outcome,) = sort(raw, max_file_mb=1)
    assert outcome.stays
    assert "FIVEPERCENT_MAX_FILE_MB" in outcome.reason
    assert outcome.sha256 == ""


def test_payments_dropped_together_with_the_register_find_their_publisher(
    small_demo: tuple[Path, Truth], tmp_path: Path
) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(small_demo[0] / "organisations", raw / "inbox" / "a register")
    code, name = next(iter(organisations(small_demo[0]).items()))
    drop(raw, "0 payments.csv", PAYMENTS.format(entity=name))
    outcomes = sort(raw)
    assert {o.organisation for o in outcomes} == {None, code}
    assert [o.path for o in outcomes if o.stays and o.bytes] == []


def test_a_file_in_the_inbox_alone_makes_the_tree_real(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    settings = settings_of(raw)
    assert not has_raw_files(settings)
    drop(raw, "spend.csv", PAYMENTS)
    assert has_raw_files(settings)
    assert or_demonstration(settings).raw == raw


def test_with_nothing_but_unknown_files_the_run_says_what_they_are(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    drop(raw, "notes.txt", "buy milk\n")
    with pytest.raises(RefreshFailedError, match=r"inbox/notes\.txt stays in the inbox"):
        refresh(settings_of(raw))


def test_files_that_stay_stand_in_the_account_of_files(raw: Path) -> None:
    drop(raw, "notes.txt", "buy milk\ncall the plumber\n")
    run = Run(settings_of(raw))
    sort_inbox(run)
    read_sources(run, {})
    row = run.store.read("meta.source_file").row(
        by_predicate=pl.col("source_id") == "inbox", named=True
    )
    assert (row["path"], row["status"]) == ("inbox/notes.txt", "set aside")
    assert "not recognised" in row["reason"]


def test_a_refresh_files_the_inbox_and_counts_what_was_in_it(published_raw: Path) -> None:
    raw = published_raw
    settings = settings_of(raw)
    moved = spend_file(raw)
    place = moved.relative_to(raw).as_posix()
    drop(raw, f"{moved.parent.name}/{moved.name}", moved.read_bytes())
    moved.unlink()
    drop(raw, "notes.txt", "buy milk\n")
    summary = refresh(settings)
    assert summary.published
    assert len(summary.inbox) == 2
    assert (raw / place).is_file()
    assert "inbox/notes.txt" in summary.set_aside
    assert Run(settings).store.read("meta.source_file").filter(path=place)["rows_kept"][0] > 0
    again = refresh(settings)
    assert not again.published
    assert [s for s in again.inbox if "notes.txt stays" in s] == again.inbox
    (raw / "inbox" / "notes.txt").unlink()
    last = refresh(settings)
    assert last.published  # the account of files no longer names it
    assert last.inbox == []
    assert not [p for p in last.set_aside if p.startswith("inbox/")]


def test_two_names_that_read_alike_are_two_files(published_raw: Path) -> None:
    """One has an escape sign, the other spells it; both stay, and the refresh goes on."""
    raw = published_raw
    drop(raw, "no\x1btable.csv", b"nothing here\n")
    drop(raw, "no\\x1btable.csv", b"nor here, really\n")
    refresh(settings_of(raw))
    listed = pl.read_parquet(raw.parent / "out/parquet/meta/source_file.parquet")
    found = listed.filter(pl.col("path").str.contains("x1btable"))
    assert found.height == 2
    assert found["path"].n_unique() == 2
    assert found["sha256"].n_unique() == 2
