"""Bad files are named in the run's ending and in meta; the rest is published."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest
import xlsxwriter
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.demo import Truth
from pipeline.refresh import RefreshFailedError, Summary, refresh
from pipeline.settings import Settings

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.fixture(scope="module")
def damaged(
    small_demo: tuple[Path, Truth], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Settings, Summary]:
    """The demonstration with one of each kind of bad file among the good ones."""
    raw = tmp_path_factory.mktemp("damaged") / "raw"
    shutil.copytree(small_demo[0], raw)
    trust = sorted(p.name for p in (raw / "spend_over_25k").iterdir())[0]
    folder = raw / "spend_over_25k" / trust
    (folder / "empty.csv").write_bytes(b"")
    (folder / "picture.csv").write_bytes(PICTURE)
    book = xlsxwriter.Workbook(str(folder / "no header.xlsx"))
    sheet = book.add_worksheet("Notes")
    sheet.write_row(0, 0, ["hello", "there"])
    sheet.write_row(1, 0, ["nothing", "to see"])
    book.close()
    rows = "\n".join(
        f"0{i}/01/2022,Drugs,Pharmacy,Fictional Supplies Ltd,{i},lots" for i in range(1, 9)
    )
    (folder / "nonsense amounts.csv").write_text(
        f"Date,Expense Type,Expense Area,Supplier,Transaction Number,Amount\n{rows}\n"
    )
    unknown = raw / "spend_over_25k" / "QQQ"
    unknown.mkdir()
    (unknown / "April 2022.csv").write_text(
        "Entity,Date,Expense Type,Supplier,Amount\nNobody NHS Trust,13/04/2022,Drugs,Fictional Ltd,30000.00\n"
    )
    (raw / "provider_accounts" / "TAC broken 2022-23.xlsx").write_bytes(b"PK\x03\x04 broken")
    (raw / "unheard_of").mkdir()
    (raw / "unheard_of" / "file.csv").write_text("a,b\n1,2\n")
    settings = Settings(raw=raw, out=raw.parent / "out")
    return settings, refresh(settings)


def test_the_ending_names_the_first_rows_that_were_set_aside(tmp_path: Path) -> None:
    head = "Date,Expense Type,Expense Area,Supplier,Transaction Number,Amount"
    good = [f"{i:02d}/05/2022,Drugs,Pharmacy,Fictional Ltd,G{i},30000.00" for i in range(13, 28)]
    bad = [f"31/02/2022,Drugs,Pharmacy,Fictional Ltd,B{i},30000.00" for i in range(4)]
    folder = tmp_path / "raw" / "spend_over_25k" / "RJ1"
    folder.mkdir(parents=True)
    told = {"one.csv": "(row 17)", "four.csv": "(rows 4, 5, 6 and 1 more)"}
    for name, rows in (("one.csv", [*good, bad[0]]), ("four.csv", [*good[:2], *bad, *good[2:]])):
        (folder / name).write_text("\n".join([head, *rows]) + "\n")
    summary = refresh(Settings(raw=tmp_path / "raw", out=tmp_path / "out", offline=True))
    found = {Path(path).name: reason for path, reason in summary.partly_read.items()}
    assert found.keys() == told.keys()
    assert all(found[name].endswith(rows) for name, rows in told.items())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("empty.csv", "empty"),
        ("picture.csv", "picture"),
        ("no header.xlsx", "column"),
        ("nonsense amounts.csv", "amount"),
        ("QQQ/April 2022.csv", "QQQ"),
        ("TAC broken 2022-23.xlsx", "damaged"),
        ("unheard_of/file.csv", "no source"),
    ],
)
def test_each_bad_file_is_named_with_what_is_wrong(
    damaged: tuple[Settings, Summary], name: str, said: str
) -> None:
    settings, summary = damaged
    found = [r for path, r in summary.set_aside.items() if path.endswith(name)]
    assert len(found) == 1, summary.set_aside
    assert said in found[0]
    connection = duckdb.connect(str(settings.out / "fivepercent.duckdb"), read_only=True)
    told = connection.execute(
        "select status, reason from meta.source_file where path like ?", [f"%{name}"]
    ).fetchall()
    connection.close()
    assert [t[0] for t in told] == ["set aside"]
    assert said in told[0][1]


def test_the_rest_is_published_as_if_the_bad_files_were_not_there(
    damaged: tuple[Settings, Summary], demo_build: tuple[Settings, Summary]
) -> None:
    def shares(settings: Settings) -> list[tuple]:
        connection = duckdb.connect(str(settings.out / "fivepercent.duckdb"), read_only=True)
        rows = connection.sql("select * from marts.digital_share order by all").fetchall()
        connection.close()
        return rows

    assert damaged[1].published
    assert shares(damaged[0]) == shares(demo_build[0])


def test_the_guesses_for_an_unknown_folder_say_what_to_do(
    damaged: tuple[Settings, Summary],
) -> None:
    _, summary = damaged
    reason = next(r for p, r in summary.set_aside.items() if "QQQ" in p)
    assert "Best guesses" in reason
    assert "folder named by the organisation's code" in reason


def test_the_ending_a_person_reads_names_the_bad_files(damaged: tuple[Settings, Summary]) -> None:
    settings, _ = damaged
    told = CliRunner().invoke(
        app, ["refresh", "--raw", str(settings.raw), "--out", str(settings.out)]
    )
    assert told.exit_code == 0
    for name in ("empty.csv", "picture.csv", "no header.xlsx", "nonsense amounts.csv", "QQQ"):
        assert name in told.stdout
    assert "charts/index.html" in told.stdout


def test_a_failed_blocking_check_leaves_the_previous_publication(
    demo_copy: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.refresh import payments
    from pipeline.store.publish import current_build

    first = current_build(demo_copy.out)
    real = payments.classify_lines

    def loses_a_row(lines, classify):
        return real(lines, classify).head(lines.height - 1)

    monkeypatch.setattr(payments, "classify_lines", loses_a_row)
    with pytest.raises(RefreshFailedError, match="blocking"):
        refresh(demo_copy, force=True)
    assert current_build(demo_copy.out) == first
    connection = duckdb.connect(str(demo_copy.out / "fivepercent.duckdb"), read_only=True)
    assert connection.sql("select build_id from meta.build").fetchall() == [(first,)]
    connection.close()


def test_a_missing_month_is_missing_not_zero(demo_copy: Settings) -> None:
    def months() -> dict[tuple, tuple]:
        connection = duckdb.connect(str(demo_copy.out / "fivepercent.duckdb"), read_only=True)
        rows = connection.sql(
            "select organisation_code, month, is_present, amount_gbp, source_file from marts.coverage_month "
            "left join (select organisation_code, month, min(source_file) as source_file, "
            "count(distinct source_file) as files from facts.payment group by 1, 2) "
            "using (organisation_code, month) order by 1, 2"
        ).fetchall()
        connection.close()
        return {(r[0], r[1]): r[2:] for r in rows}

    before = months()
    connection = duckdb.connect(str(demo_copy.out / "fivepercent.duckdb"), read_only=True)
    single = connection.sql(
        "select organisation_code, any_value(month), source_file from facts.payment "
        "group by 1, 3 having count(distinct month) = 1 and count(*) > 30 order by 3 limit 1"
    ).fetchall()[0]
    connection.close()
    assert before[(single[0], single[1])][0] is True
    (demo_copy.raw / single[2]).unlink()
    refresh(demo_copy)
    after = months()
    present, amount, _ = after[(single[0], single[1])]
    assert present is False
    assert amount is None
