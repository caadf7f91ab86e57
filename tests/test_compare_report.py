"""What a comparison says, how figures are remembered from build to build, and ``fivepercent diff``."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import random
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from test_compare import APRIL, a_build, a_figure, a_file
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.compare import Build, compare
from pipeline.compare.difference import KEY
from pipeline.compare.report import as_json, as_page, as_text, file_rows, headline
from pipeline.refresh import Summary, refresh
from pipeline.refresh.history import carry_on, changes_of
from pipeline.schema import table
from pipeline.settings import Settings
from pipeline.unattended.digest import DENOMINATOR, figures_of

HOSTILE = "<script>alert(1)</script> & 'Sons' \"Ltd\""


def about(number: int, *, is_demo: bool = True) -> list[dict[str, Any]]:
    built = dt.datetime(2026, 1, 1) + dt.timedelta(days=number)
    told = {"build_id": f"b{number}", "built_at": built, "version": "1", "rules_version": "r1"}
    return [told | {"is_demo": is_demo}]


def test_the_page_shows_markup_as_text_and_asks_no_host() -> None:
    old = a_build(figures=[a_figure("XX1", "D1", 2e6, 1e8, organisation_name=HOSTILE)])
    new = a_build(
        figures=[a_figure("XX1", "D1", 3e6, 1e8, organisation_name=HOSTILE)],
        files=[a_file(APRIL), a_file(f"spend_over_25k/XX1/{HOSTILE}.csv", reason=HOSTILE)],
    )
    page = as_page(compare(old, new))
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 3
    assert "http" not in page.replace("http-equiv", "")


def test_the_largest_movement_comes_first_and_the_rest_is_counted() -> None:
    codes = [f"X{n:02d}" for n in range(30)]
    old = a_build(figures=[a_figure(c, "D1", 1e6, 1e8) for c in codes])
    new = a_build(figures=[a_figure(c, "D1", 1e6 + 1e4 * n, 1e8) for n, c in enumerate(codes)])
    compared = compare(old, new)
    said = as_text(compared, shown=5).splitlines()
    named = [line.split()[0] for line in said if line.startswith("  X")]
    assert named == ["X29", "X28", "X27", "X26", "X25"]
    assert "  and 24 more" in said
    went = compare(a_build(figures=[*old.figures.to_dicts(), a_figure("ZZZ", "D1", 1e6, 1e8)]), new)
    named = [
        line.split()[0] for line in as_text(went, shown=5).splitlines() if line[2:3] in ("X", "Z")
    ]
    assert named[0] == "ZZZ"
    at_default = {"denominator": DENOMINATOR}
    before = [a_figure(c, "D1", 1e6, 1e8) | at_default for c in ("X01", "ZZZ")]
    after = [a_figure("X01", "D1", 3e6, 1e8) | at_default]
    listed, _ = figures_of(compare(a_build(figures=before), a_build(figures=after)))
    assert [f.change for f in listed] == ["gone", "changed"]
    assert headline(compared).startswith("Figures: 29 changed, 0 new, 0 gone, of 29 trusts.")
    assert len(json.loads(json.dumps(as_json(compared), default=str))["figures"]) == 29


def test_a_share_that_reads_as_before_is_told_with_what_moved_beside_it() -> None:
    ends = {"share_lower": 0.016, "share_upper": 0.026, "badge": "A"}
    old = a_build(figures=[a_figure(c, "D1", 2e6, 1e8, **ends) for c in ("XX1", "XX2")])
    new = a_build(
        figures=[
            a_figure("XX1", "D1", 2e6, 1e8, **ends | {"share_lower": 0.015}),
            a_figure("XX2", "D1", 2e6, 1e8, **ends | {"badge": "B"}),
        ]
    )
    said = as_text(compare(old, new))
    assert "range 1.600% to 2.600% before, 1.500% to 2.600% now" in said
    assert "badge A to B" in said


def test_demonstration_against_real_is_said_to_mean_nothing() -> None:
    compared = compare(a_build(about=about(1)), a_build(about=about(2, is_demo=False)))
    assert "says nothing about either" in as_text(compared)


def replayed(builds: list[Build]) -> dict[tuple[str, ...], list[tuple[str, str, float | None]]]:
    """The slow reference: walk through the builds one figure at a time."""
    told: dict[tuple[str, ...], list[tuple[str, str, float | None]]] = {}
    for build in builds:
        here = {row[:4]: row[4] for row in build.figures.select(*KEY, "numerator_gbp").iter_rows()}
        for key in sorted({*told, *here}):
            past = told.get(key, [])
            now = here.get(key)
            if not past:
                told[key] = [("first published", build.build_id, now)]
            elif now is None and past[-1][2] is not None:
                past.append(("withdrawn", build.build_id, None))
            elif now is not None and past[-1][2] is None:
                past.append(("published again", build.build_id, now))
            elif now is not None and now != past[-1][2]:
                past.append(("changed", build.build_id, now))
    return told


@pytest.mark.parametrize("seed", range(8))
def test_the_history_of_figures_equals_a_walk_through_the_builds(seed: int) -> None:
    chance = random.Random(seed)
    builds = [
        a_build(
            about=about(n),
            figures=[
                a_figure(code, "D1", chance.choice((1e6, 2e6)), 1e8)
                for code in ("XX1", "XX2", "XX3")
                if chance.random() < 0.7
            ],
        )
        for n in range(7)
    ]
    history = carry_on(None, builds[0], None)
    for old, new in itertools.pairwise(builds):
        history = carry_on(history, new, compare(old, new))
    assert history.schema == table("meta.figure_history").polars
    found: dict[tuple[str, ...], list[tuple[str, str, float | None]]] = {}
    for row in history.iter_rows(named=True):
        key = tuple(row[name] for name in KEY)
        found.setdefault(key, []).append((row["change"], row["build_id"], row["numerator_gbp"]))
    assert found == replayed(builds)
    latest = history.filter("is_latest")
    assert latest.select(KEY).is_unique().all()
    assert latest.height == history.select(KEY).unique().height


def test_changes_hold_a_row_for_every_difference_and_fit_their_table() -> None:
    old = a_build(figures=[a_figure("XX1", "D1", 2e6, 1e8)])
    new = a_build(
        figures=[a_figure("XX1", "D1", 3e6, 1e8)],
        files=[a_file(APRIL, sha256="other")],
        checks=[
            {
                "suite": "s",
                "check_name": "c",
                "severity": "warning",
                "passed": False,
                "sentence": "x",
            }
        ],
    )
    rows = changes_of(compare(old, new))
    assert rows.select("kind", "change").sort("kind", "change").rows() == [
        ("check", "newly failing"),
        ("figure", "changed"),
        ("file", "gone"),
        ("file", "revised"),
    ]
    figure = rows.filter(kind="figure").row(0, named=True)
    assert (figure["was"], figure["becomes"]) == (0.02, 0.03)
    assert figure["cause"] == f"revised file: {APRIL}"


def test_a_merger_is_told_in_the_database_as_text_and_as_a_page() -> None:
    def build(*now: tuple[str, float, str]):
        figures = [a_figure(code, "D1", 1e6, 1e8) for code in ("XX1", "XX2")]
        rows = [
            a_figure(code, "D1", pounds, 1e8) | {"made_of": made, "is_pro_forma": made != code}
            for code, pounds, made in now
        ]
        return a_build(figures=figures, as_now=rows)

    compared = compare(
        build(("XX1", 1e6, "XX1"), ("XX2", 1e6, "XX2")), build(("XX1", 2e6, "XX1, XX2"))
    )
    rows = changes_of(compared).filter(kind="figure as now")
    assert rows.select("organisation_code", "change", "was", "becomes").rows() == [
        ("XX1", "changed", 0.01, 0.02),
        ("XX2", "gone", 0.01, None),
    ]
    for told in (as_text(compared), as_page(compared)):
        assert "D1 over operating expenditure, as now" in told
        assert "made of XX1, XX2; before of XX1" in told
        assert "As now: 2 differ." in told


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [(5, None, "5 before"), (None, 7, "7"), (0, None, "0 before"), (5, 7, "5 to 7")],
)
def test_what_came_or_went_is_not_set_against_nothing(was, now, told) -> None:
    path = "workforce/a.csv"
    files = [[a_file(path, rows_kept=n)] if n is not None else [] for n in (was, now)]
    old, new = (a_build(files=[a_file(APRIL), *f]) for f in files)
    [row] = file_rows(compare(old, new))
    assert row["rows"] == told
    assert "none" not in as_text(compare(old, new))


@pytest.fixture(scope="module")
def two_builds(
    demo_build: tuple[Settings, Summary], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Settings, str]:
    """A published tree, one payment file taken away, refreshed again; and the file's path."""
    folder = tmp_path_factory.mktemp("history")
    shutil.copytree(demo_build[0].raw, folder / "raw")
    shutil.copytree(demo_build[0].out, folder / "out", symlinks=True)
    settings = Settings(raw=folder / "raw", out=folder / "out")
    gone = max((folder / "raw" / "spend_over_25k").rglob("*.*"), key=lambda p: p.stat().st_size)
    gone.unlink()
    refresh(settings)
    return settings, gone.relative_to(folder / "raw").as_posix()


def test_the_ending_names_files_and_shares_that_are_no_longer_here(
    demo_build: tuple[Settings, Summary], demo_copy: Settings
) -> None:
    first, raw = demo_build[1], demo_copy.raw
    assert (first.gone, first.figures_gone) == ({}, [])
    trust = min(p for p in (raw / "spend_over_25k").iterdir() if p.is_dir())
    files = {p.relative_to(raw).as_posix() for p in trust.rglob("*") if p.is_file()}
    shutil.rmtree(trust)
    done = CliRunner().invoke(app, ["refresh", "--raw", str(raw), "--out", str(demo_copy.out)])
    assert done.exit_code == 0, done.output
    assert f"No longer here ({len(files)} files):" in done.output
    assert all(f"  {path}: " in done.output for path in sorted(files)[:3])
    ending = done.output[done.output.index("Shares that are no longer here: ") :]
    assert f"{trust.name} " in ending
    assert "D1" in ending


def test_the_database_says_what_changed_and_what_was_first_published(
    two_builds: tuple[Settings, str],
) -> None:
    settings, gone = two_builds
    with duckdb.connect(str(settings.out / "fivepercent.duckdb"), read_only=True) as connection:
        assert connection.sql(
            "select subject from meta.change where kind = 'file' and change = 'gone'"
        ).fetchall() == [(gone,)]
        moved = connection.sql(
            "select first.share, latest.share, latest.causes, figure.share "
            "from meta.figure_history latest "
            f"join meta.figure_history first using ({', '.join(KEY)}) "
            f"join marts.digital_share figure using ({', '.join(KEY)}) "
            "where first.version = 1 and latest.is_latest and latest.change = 'changed'"
        ).fetchall()
        stands = connection.sql(
            f"select count(*) from marts.digital_share figure anti join "
            f"(from meta.figure_history where is_latest and change <> 'withdrawn') using ({', '.join(KEY)})"
        ).fetchall()
    assert moved
    assert all(first != latest == figure for first, latest, _, figure in moved)
    assert all(f"file gone: {gone}" in causes for _, _, causes, _ in moved)
    assert stands == [(0,)]


def test_diff_compares_previous_with_current_as_text_json_and_page(
    two_builds: tuple[Settings, str], tmp_path: Path
) -> None:
    settings, gone = two_builds
    page = tmp_path / "pages" / "changes.html"
    done = CliRunner().invoke(app, ["diff", "--out", str(settings.out), "--page", str(page)])
    assert done.exit_code == 0, done.output
    assert f"gone: {gone}" in done.output
    assert gone in page.read_text(encoding="utf-8")
    done = CliRunner().invoke(app, ["diff", "--out", str(settings.out), "--json"])
    told = json.loads(done.stdout)
    assert [f["path"] for f in told["files"]] == [gone]
    assert {f["change"] for f in told["figures"]} <= {"changed", "gone"}
    same = CliRunner().invoke(app, ["diff", "current", "current", "--out", str(settings.out)])
    assert "No figure, file, table or check differs." in same.output


def test_diff_says_which_builds_it_knows(two_builds: tuple[Settings, str]) -> None:
    settings, _ = two_builds
    done = CliRunner().invoke(app, ["diff", "nowhere", "--out", str(settings.out)])
    assert done.exit_code == 2
    for build in (settings.out / "builds").iterdir():
        assert build.name in done.output
