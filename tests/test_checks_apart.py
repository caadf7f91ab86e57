"""Checks that held are asked only of organisations whose rows changed, and say what they say of all rows."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import pipeline.quality
from pipeline.quality import run_gate, suite_for
from pipeline.quality.checks import Check
from pipeline.quality.engine import opened, rows_that_break
from pipeline.refresh import checked as module
from pipeline.refresh import refresh
from pipeline.refresh.checked import checked, note_contents
from pipeline.refresh.context import Run
from pipeline.schema import all_tables, table
from pipeline.settings import Settings
from pipeline.site.earlier import without_stamp
from pipeline.store import TableStore
from pipeline.store.content import Contents, differing
from pipeline.store.seal import file_hash

if TYPE_CHECKING:
    from pipeline.quality import Since
    from pipeline.refresh import Summary

pytestmark = pytest.mark.processes

PAYMENT, YEAR = "facts.payment", "2022/23"
Change = Callable[[pl.DataFrame], pl.DataFrame]
#: Counts its rows by something that several organisations share.
NOT_BY_OWNER = {"category_is_known"}
APART = [c for spec in all_tables().values() for c in suite_for(spec) if c.alone]


@pytest.fixture
def run(demo_build: tuple[Settings, Summary], tmp_path: Path) -> Run:
    """What follows a refresh, which kept what its checks said and whose rows were what."""
    settings = Settings(raw=demo_build[0].raw, out=tmp_path / "out")
    shutil.copytree(demo_build[0].work, settings.work)
    return Run(settings)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Since | None]:
    """What every run of a gate was told of changes."""
    told: list[Since | None] = []

    def noting(*a: Any, since: Since | None, **k: Any) -> Any:
        told.append(since)
        return run_gate(*a, since=since, **k)

    monkeypatch.setattr(pipeline.quality, "run_gate", noting)
    return told


def told(results: Any) -> list[tuple[Any, ...]]:
    return sorted((r.suite, r.check_name, r.passed, r.observed, r.failing_rows) for r in results)


def codes(store: TableStore) -> list[str]:
    """Organisations with payments in the year, those with fewest first."""
    rows = store.read(PAYMENT).filter(financial_year=YEAR)
    return rows.group_by("organisation_code").len().sort("len")["organisation_code"].to_list()


def change(store: TableStore, made: Change) -> None:
    """Change the payments of a year."""
    rows = pl.read_parquet(store.partition_path(PAYMENT, YEAR))
    store.write_partition(PAYMENT, YEAR, made(rows))


def of(code: str, **values: Any) -> Change:
    """Set values in every row of an organisation."""

    def made(rows: pl.DataFrame) -> pl.DataFrame:
        own = pl.col("organisation_code") == code
        return rows.with_columns(
            pl.when(own)
            .then(pl.lit(value))
            .otherwise(pl.col(name))
            .cast(rows.schema[name])
            .alias(name)
            for name, value in values.items()
        )

    return made


def without_a_line(code: str) -> Change:
    def made(rows: pl.DataFrame) -> pl.DataFrame:
        numbered = rows.with_row_index("n")
        first = numbered.filter(organisation_code=code)["n"][0]
        return numbered.filter(pl.col("n") != first).drop("n")

    return made


def test_a_new_line_is_all_that_is_looked_at_and_the_results_are_those_of_all_rows(
    run: Run, asked: list[Since | None]
) -> None:
    code = codes(run.store)[0]
    change(run.store, without_a_line(code))
    found = told(checked(run, "facts"))
    assert found == told(run_gate(run.store, "facts", is_demo=run.is_demo))
    (since,) = asked
    assert since is not None
    assert since.organisations == (code,)
    assert len(since.apart[PAYMENT]) > 20


@pytest.mark.parametrize(
    "values",
    [
        {"amount_gbp": 0},
        {"digital": "perhaps", "category": "devices"},
        {"month": dt.date(2022, 4, 2)},
        {"organisation_code": "ZZ9"},
        {"source_sheet": "", "source_row": 5},
        {"is_duplicate": True},
        {"is_balance_sheet": True},
        {"supplier": None},
        {"confidence": 1.5},
    ],
    ids=lambda values: ", ".join(values),
)
def test_what_breaks_a_rule_among_changed_rows_is_found_as_among_all(
    run: Run, asked: list[Since | None], values: dict[str, Any]
) -> None:
    before = told(checked(run, "facts"))
    assert asked == []  # all of it is known
    change(run.store, of(codes(run.store)[1], **values))
    found = told(checked(run, "facts"))
    assert asked[0] is not None
    assert found == told(run_gate(run.store, "facts", is_demo=run.is_demo))
    assert found != before
    # and what was found once is not forgotten when other rows change
    note_contents(run)
    change(run.store, without_a_line(codes(run.store)[0]))
    assert told(checked(run, "facts")) == told(run_gate(run.store, "facts", is_demo=run.is_demo))


def test_a_mart_that_no_longer_fits_the_payments_of_one_trust_is_found(
    run: Run, asked: list[Since | None]
) -> None:
    mix = run.store.read("marts.spend_mix")
    code = mix.filter(digital="yes")["organisation_code"][0]
    dearer = pl.when(organisation_code=code).then(pl.col("amount_gbp") + 5).otherwise("amount_gbp")
    run.store.write("marts.spend_mix", mix.with_columns(dearer.alias("amount_gbp")))
    found = told(checked(run, "marts"))
    assert asked[0] is not None
    assert asked[0].organisations == (code,)
    assert found == told(run_gate(run.store, "marts", is_demo=run.is_demo))
    assert ("marts.spend_mix", "published_payments_are_all_counted", False) in {
        row[:3] for row in found
    }


@pytest.mark.parametrize(
    "spoiled", ["code", "library", "day", "damaged", "another's", "gone", "many", "old form"]
)
def test_all_rows_are_asked_where_it_is_not_certain_what_changed(
    run: Run, asked: list[Since | None], monkeypatch: pytest.MonkeyPatch, spoiled: str
) -> None:
    changed = codes(run.store)[0]
    if spoiled == "many":
        change(run.store, of(codes(run.store)[-1], description="x"))
        monkeypatch.setattr(module, "MOST_ROWS", 5)
    notes = {
        path: run.settings.work / "content" / f"{file_hash(path)}.json"
        for path in run.store.files(PAYMENT)
    }
    old = notes[run.store.partition_path(PAYMENT, YEAR)]
    change(run.store, without_a_line(changed))
    if spoiled == "code":
        monkeypatch.setattr(module, "code_hash", lambda: "other")
    elif spoiled == "library":
        monkeypatch.setattr(module, "version", lambda name: f"other {name}")
    elif spoiled == "damaged":
        old.write_bytes(old.read_bytes().replace(changed.encode(), b"ZZ9", 1))
    elif spoiled == "another's":
        other = next(path for path in notes.values() if path != old)
        shutil.copyfile(other, old)
    elif spoiled == "gone":
        old.unlink()
    elif spoiled == "old form":
        path = run.settings.work / "checked-facts.json"
        path.write_bytes(path.read_bytes().replace(b'"day"', b'"today"', 1))
    elif spoiled == "day":

        class Tomorrow(dt.datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return super().now(tz) + dt.timedelta(days=1)

        monkeypatch.setattr(module, "datetime", Tomorrow)
    again = Run(run.settings)  # with nothing in memory
    found = told(checked(again, "facts"))
    assert found == told(run_gate(run.store, "facts", is_demo=run.is_demo))
    (since,) = asked
    if spoiled == "day":
        assert since is not None
        assert "key_is_unique" in since.apart[PAYMENT]
        assert "payment_date_plausible" not in since.apart[PAYMENT]
    else:
        assert since is None or not (since.organisations or since.apart)


def test_a_file_of_two_organisations_is_looked_at_whole(tmp_path: Path) -> None:
    """What changed for one of them can break a rule among the rows of the other."""
    spec, contents = table(PAYMENT), Contents(tmp_path / "content")
    lines = {
        "organisation_code": ["ZA1", "ZA2", "ZA3"], "financial_year": [YEAR] * 3,
        "source_file": ["both", "both", "own"], "amount_gbp": [1, 2, 3],
    }  # fmt: skip

    def content(name: str, amounts: list[int]) -> dict[str, Any]:
        path = tmp_path / name
        pl.DataFrame(lines | {"amount_gbp": amounts}).write_parquet(path)
        return {"y": contents.of(spec, path, file_hash(path))}

    before = content("a", [1, 2, 3])
    assert differing(before, content("b", [1, 2, 3])) == set()
    assert differing(before, content("c", [1, 2, 4])) == {"ZA3"}
    assert differing(before, content("d", [5, 2, 3])) == {"ZA1", "ZA2"}
    assert differing(before, {}) == {"ZA1", "ZA2", "ZA3"}
    # the other organisation's rows may stand in the file of another year
    assert differing({}, content("e", [1, 2, 3]), content("f", [7, 7, 7]).values()) >= {"ZA2"}
    # the same rows in one more file are more rows
    assert differing({"y": before["y"]}, {"y": before["y"], "z": before["y"]}) == {
        "ZA1", "ZA2", "ZA3",
    }  # fmt: skip


def _broken(store: TableStore, check: Check, own: list[str] | None) -> int:
    with opened(store, {check.suite, *check.needs}, own) as connection:
        return len(connection.sql(rows_that_break(check)).fetchall())


def test_rules_that_are_asked_apart_find_in_two_halves_what_they_find_in_the_whole(
    run: Run,
) -> None:
    """Each of them broken in some rows of several organisations, here and there."""
    store = run.store

    def here(every: int, value: Any) -> pl.Expr:
        return pl.when(pl.int_range(pl.len()) % every == 0).then(pl.lit(value))

    rows = pl.read_parquet(store.partition_path(PAYMENT, YEAR))
    files = rows["source_file"].unique(maintain_order=True)
    odd = pl.col("source_file") == files[-1]  # one file of two organisations

    def among(some: pl.Series) -> pl.Expr:
        return pl.col("source_file").is_in(some.implode())

    store.write_partition(
        PAYMENT,
        YEAR,
        rows.with_columns(
            month=here(97, dt.date(2019, 4, 2)).otherwise("month"),
            payment_date=here(89, dt.date(2098, 4, 2)).otherwise("payment_date"),
            amount_gbp=here(83, 0).when(pl.int_range(pl.len()) % 79 == 0).then(2_000_000_000)
            .otherwise("amount_gbp").cast(rows.schema["amount_gbp"]),
            digital=here(71, "perhaps").otherwise("digital"),
            category=here(67, "toys").otherwise("category"),
            nature=here(61, "both").otherwise("nature"),
            confidence=here(59, 2.0).otherwise("confidence"),
            source_row=here(53, 0).otherwise("source_row"),
            is_duplicate=among(files[:3]) | pl.col("is_duplicate"),
            is_balance_sheet=among(files[5:60]) | pl.col("is_balance_sheet"),
            supplier=here(47, "1,234.00").when(among(files[8:9]))
            .then(pl.lit(None)).otherwise("supplier"),
            organisation_code=pl.when(odd & (pl.int_range(pl.len()) % 2 == 0)).then(pl.lit("ZZ9"))
            .otherwise("organisation_code"),
        ).sort(table(PAYMENT).sort or [], nulls_last=True),
    )  # fmt: skip
    for name in {c.suite for c in APART} - {PAYMENT}:
        store.write(name, store.read(name).gather_every(3))
    owners = store.read(PAYMENT).group_by("source_file").agg(pl.col("organisation_code").unique())
    mixed = {c for own in owners["organisation_code"] if len(own) > 1 for c in own}
    others = set(store.read(PAYMENT)["organisation_code"]) - mixed
    for c in APART:
        others |= set(store.read(c.suite)["organisation_code"]) - mixed
    split = sorted(others)
    halves = (split[::2], [*split[1::2], *sorted(mixed)])
    assert min(map(len, halves)) > 3
    found = {(c.suite, c.check_name): _broken(store, c, None) for c in APART}
    apart = {
        (c.suite, c.check_name): sum(_broken(store, c, half) for half in halves) for c in APART
    }
    counted = {key: n for key, n in found.items() if key[1] not in NOT_BY_OWNER}
    assert {key: apart[key] for key in counted} == counted
    assert all(bool(apart[key]) == bool(n) for key, n in found.items())
    whole = {name for (_, name), n in found.items() if not n}
    assert whole <= {
        "columns_and_types", "required_values_present", "organisation_existed",
        "financial_year_is_well_formed", "digital_share_of_pounds_plausible",
    }  # fmt: skip


def test_one_new_month_publishes_what_a_first_refresh_of_the_same_files_does(
    demo_build: tuple[Settings, Summary], tmp_path: Path, asked: list[Since | None]
) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(demo_build[0].raw, raw)
    last = max((raw / "spend_over_25k").rglob("*2022-23*.csv"))
    aside = tmp_path / last.name
    last.rename(aside)
    first, grown = demo_build[0], Settings(raw=raw, out=tmp_path / "grown", threads=1)
    refresh(grown)
    aside.rename(last)
    assert refresh(grown).published
    assert [since is not None for since in asked] == [False, False, True, True]
    own = {"meta.build", "meta.change", "meta.figure_history"}  # they tell of the build before
    for name in all_tables().keys() - own:
        one, other = (TableStore(s.out / "current" / "parquet").files(name) for s in (grown, first))
        assert list(map(file_hash, one)) == list(map(file_hash, other)), name
    for path in sorted((first.out / "current/charts").rglob("*")):
        told = path.relative_to(first.out / "current/charts")
        if path.is_file() and told.parts[0] in ("trusts", "boards"):
            again = grown.out / "current/charts" / told
            pages = [without_stamp(p.read_text("utf-8")) for p in (path, again)]
            assert pages[0] == pages[1], told
