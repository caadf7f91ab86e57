"""Accounts of NHS providers (trust accounts consolidation) to account lines.

The published workbooks hold over a million rows, so they go straight from fastexcel to a lazy
filter. Organisations stand by name only and are joined to the list of providers in the same
workbook, then to the register. The prior-year columns repeat an earlier file and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from pipeline.ingest.files import RawFile
from pipeline.ingest.names import Register, comparable
from pipeline.ingest.reading import NotDataError, Reading, RefusedFileError, open_file
from pipeline.ingest.result import SourceResult, read_source
from pipeline.ingest.sources.account_meanings import (
    Meanings,
    fallback_unit,
    is_illustrative,
    read_meanings,
    squeeze,
)
from pipeline.ingest.sources.account_providers import settle_providers
from pipeline.ingest.tables import clean, named_table, number, of_the_whole, without_marks
from pipeline.ingest.tabular import Grid, Limits
from pipeline.ingest.years import financial_year_in

CURRENT_YEAR = r"(?i)^A\d{2}[A-Z]?CY"
MAIN_CODE, MOSTLY = r"(?i)^A\d{2}[A-Z]?(?:CY|PY)", 0.8
KEPT_NOTES = r"(?i)^A(?:02|08|09|13|14A?)CY"
"""Income statement, operating expenditure, staff, intangibles, plant, leased assets."""
OTHER_NOTE, PRIOR_YEAR = "other note of the accounts", "prior-year column"
COLUMNS = {
    "organisation_name": (
        "organisationname", "organisation", "providername", "provider", "nameofprovider",
        "fullnameofprovider", "trustname", "orgname",
    ),
    "main_code": ("maincode",),
    "sub_code": ("subcode",),
    "value": (
        "total", "valuenumber", "value", "amount", "total000", "total000s", "value000", "value000s",
        "amount000", "amount000s", "totalthousands", "totalgbpthousand", "totalgbpthousands",
    ),
}  # fmt: skip
_POUNDS = re.compile(r"£|\bgbp\b|\bpounds?\b", re.IGNORECASE)
_THOUSANDS = re.compile(r"000|thousand|£k\b", re.IGNORECASE)
#: Operating expenditure of the middle provider of a whole file, in thousands: no file was ever near these.
LEAST_USUAL, MOST_USUAL, ENOUGH_PROVIDERS = 1_000, 10_000_000, 20
PROVIDERS = {
    "name": (r"full name of provider|provider(?: name)?|organisation(?: name)?|name",),
    "code": (r"nhs code|org(?:anisation)? code|ods code|code",),
    "region": (r"region",),
    "sector": (r"sector",),
}
SECTORS = ("Acute", "Specialist", "Mental Health", "Community", "Ambulance")


def _without_value(grid: Grid) -> bool:
    """Whether a sheet of lines of accounts lacks the header of its values."""
    for values in grid.frame.head(15).iter_rows():
        words = {squeeze(without_marks(v)) for v in values[1:] if v}
        if all(
            words & set(COLUMNS[name]) for name in ("organisation_name", "main_code", "sub_code")
        ):
            return not words & set(COLUMNS["value"])
    return False


def find_lines(grid: Grid) -> tuple[int, dict[str, str]] | None:
    """Header row and columns of the sheet of all data, or None."""
    cells = [c for c in grid.frame.columns if c != "row"]
    for values in grid.frame.head(15).iter_rows():
        words = {squeeze(without_marks(v)): c for c, v in zip(cells, values[1:], strict=True) if v}
        found = {
            name: next((words[w] for w in spellings if w in words), None)
            for name, spellings in COLUMNS.items()
        }
        if all(found.values()):
            return int(values[0]), {n: c for n, c in found.items() if c}
    return None


def _providers(reading: Reading) -> dict[str, tuple[str | None, str | None, str | None]]:
    """Comparable name -> code, sector, region of the list of providers."""
    known: dict[str, tuple[str | None, str | None, str | None]] = {}
    for grid in reading.grids:
        found = named_table(grid, PROVIDERS, ("name", "code")) if grid.height < 2000 else None
        if found is None:
            continue
        sheet = reading.sheet(grid)
        sheet.header_rows = (found.header_row,)
        sheet.columns = {n: found.headers[c] for n, c in found.columns.items()}
        rows = found.rows.filter(pl.col("name").is_not_null())
        for name, code, region, sector in rows.select(
            "name", "code", "region", "sector"
        ).iter_rows():
            valid = code.upper() if code and re.fullmatch(r"[A-Za-z0-9]{3,5}", code) else None
            known.setdefault(comparable(name), (valid, _sector(sector), region))
        reading.ignore(grid, "list of providers (names, codes, sectors)", found.rows.height)
    return known


def _sector(text: str | None) -> str | None:
    """The publisher's sector in one of the five words; as published when it is none of them."""
    if text is None:
        return None
    lowered = text.lower()
    for sector in ("Specialist", "Ambulance", "Mental Health", "Acute", "Community"):
        if sector.lower() in lowered:
            return sector
    return text


def _continued(
    reading: Reading, lines: Sequence[tuple[Grid, tuple[int, dict[str, str]]]]
) -> list[tuple[Grid, tuple[int, dict[str, str]]]]:
    """Sheets that go on with the lines of another one without a header: a sheet takes a million rows."""
    columns = lines[0][1][1]
    found = []
    for grid in reading.grids:
        if any(grid is known for known, _ in lines) or not set(columns.values()) <= set(
            grid.frame.columns
        ):
            continue
        codes = grid.frame.head(50)[columns["main_code"]].str.strip_chars().str.contains(MAIN_CODE)
        if codes.len() and int(codes.sum()) > MOSTLY * codes.len():
            reading.sheet(grid).warnings.append(
                f"The sheet has no header; its columns were taken to be those of {lines[0][0].sheet!r}."
            )
            found.append((grid, (0, columns)))
    return found


def _parse(reading: Reading, register: Register | None, meanings: Meanings) -> pl.DataFrame:
    lines = [(g, found) for g in reading.grids if (found := find_lines(g))]
    lines = [pair for pair in lines if pair[0].visible] or lines
    if not lines:
        if any(_without_value(grid) for grid in reading.grids):
            raise RefusedFileError(
                "a sheet has the columns organisation name, MainCode and SubCode but no column of values; "
                "head it 'Total', as published, and offer the file again"
            )
        if is_illustrative(reading.grids):
            raise NotDataError(
                "an illustrative workbook: it explains the lines of the accounts and has no figures"
            )
        raise RefusedFileError(
            "no sheet has the columns organisation name, MainCode, SubCode and Total; expected the "
            "sheet 'All data' of a TAC workbook as published"
        )
    year = financial_year_in(reading.file.name)
    if year is None:
        raise RefusedFileError(
            "the file's name holds no financial year such as 2023-24; the workbook itself does not "
            "say its year, so give the file its published name back"
        )
    lines += _continued(reading, lines)
    providers = _providers(reading)
    parts = [_lines(reading, grid, *found) for grid, found in lines]
    for grid in reading.grids:
        reading.sheet(grid)
        if not any(grid is g for g, _ in lines) and not reading.sheet(grid).ignored:
            reading.ignore_sheet(grid, "sheet without lines of accounts")
    facts = pl.concat(parts)
    _in_thousands(facts)
    names = facts["organisation_name"].unique(maintain_order=True).to_list()
    matched, unknown = [], []
    for name in names:
        code, sector, region = providers.get(comparable(name), (None, None, None))
        code = code or (register.match(name) if register else None)
        if code is None:
            unknown.append(name)
        matched.append((name, code, sector, region))
    if unknown:
        reading.report.warnings.append(
            f"No code for {len(unknown)} providers: {'; '.join(unknown[:10])}. Their lines are "
            "kept without one; add the names to pipeline/reference/former_names.yaml."
        )
    found_names = pl.DataFrame(
        matched,
        schema=dict.fromkeys(
            ("organisation_name", "organisation_code", "sector", "region"), pl.String
        ),
        orient="row",
    )
    pairs = facts.select("main_code", "sub_code").unique()
    meaning = meanings.for_year(year)
    explained = [
        (m, s, *meaning.get((m, s), (None, fallback_unit(m, s)))) for m, s in pairs.iter_rows()
    ]
    labels = pl.DataFrame(
        explained,
        schema=dict.fromkeys(("main_code", "sub_code", "line", "unit"), pl.String),
        orient="row",
    )
    return (
        facts.join(found_names, on="organisation_name", how="left", maintain_order="left")
        .join(labels, on=["main_code", "sub_code"], how="left", maintain_order="left")
        .with_columns(financial_year=pl.lit(year))
    )


def _in_thousands(facts: pl.DataFrame) -> None:
    """Raise where the totals of a whole file cannot be thousands of pounds."""
    totals = facts.filter(main_code="A08CY01", sub_code="EXP0390")["value"]
    usual = totals.median()
    if totals.len() < ENOUGH_PROVIDERS or not isinstance(usual, float):
        return
    if not LEAST_USUAL <= usual <= MOST_USUAL:
        unit = "millions" if usual < LEAST_USUAL else "pounds"
        raise RefusedFileError(
            f"half of the providers spent less than {usual:,.0f} by the total of operating expenditure "
            f"(EXP0390), so the figures are in {unit}; bring them to thousands of pounds, as published "
            "until now, and offer the file again"
        )


def _lines(reading: Reading, grid: Grid, header_row: int, columns: dict[str, str]) -> pl.DataFrame:
    """Current-year lines of the kept notes; every other row is counted with its reason."""
    sheet = reading.sheet(grid)
    sheet.header_rows = (header_row,) if header_row else ()
    header = grid.frame.filter(pl.col("row") == header_row)
    sheet.columns = {n: str(header[c][0]).strip() if header_row else n for n, c in columns.items()}
    headed = sheet.columns["value"]
    if _POUNDS.search(headed) and not _THOUSANDS.search(headed):
        raise RefusedFileError(
            f"the values are headed {headed!r}, which says pounds; these files are in thousands of pounds. "
            "Divide them by 1,000, head the column 'Total', and offer the file again"
        )
    body = grid.frame.lazy().filter(pl.col("row") > header_row)
    main = pl.col(columns["main_code"]).str.strip_chars()
    kind = (
        pl.when(main.str.contains(KEPT_NOTES))
        .then(pl.lit("kept"))
        .when(main.str.contains(CURRENT_YEAR))
        .then(pl.lit(OTHER_NOTE))
        .when(main.str.contains(r"(?i)^A\d{2}[A-Z]?PY"))
        .then(pl.lit(PRIOR_YEAR))
        .otherwise(pl.lit("row without a main code of the accounts"))
    )
    tagged = body.with_columns(_kind=kind.cast(pl.Categorical))
    counts, kept = pl.collect_all(
        [
            tagged.group_by("_kind").len(),
            tagged.filter(pl.col("_kind") == "kept").select(
                "row",
                clean(columns["organisation_name"]).alias("organisation_name"),
                main.str.to_uppercase().alias("main_code"),
                pl.col(columns["sub_code"]).str.strip_chars().str.to_uppercase().alias("sub_code"),
                clean(columns["value"]).alias("_text"),
            ),
        ]
    )
    for reason, count in counts.iter_rows():
        if reason != "kept":
            reading.ignore(grid, reason, count)
    value = pl.when(~pl.col("_text").str.contains("%")).then(number("_text"))
    kept = kept.with_columns(value=value)
    empty = pl.col("_text").is_null()
    reading.ignore(grid, "line without a figure", kept.filter(empty).height)
    whole = of_the_whole("organisation_name")
    reading.ignore(grid, "total of providers", kept.filter(~empty & whole).height)
    kept = kept.filter(~empty & ~whole)
    problem = (
        pl.when(pl.col("organisation_name").is_null())
        .then(pl.lit("no name of a provider"))
        .when(pl.col("sub_code").is_null() | (pl.col("sub_code") == ""))
        .then(pl.lit("no SubCode"))
        .when(pl.col("value").is_null())
        .then(pl.lit("the figure is no number; expected thousands of pounds such as 1813240.5"))
    )
    kept = kept.with_columns(reason=problem)
    reading.reject(grid, kept.filter(pl.col("reason").is_not_null()).select("row", "reason"))
    good = kept.filter(pl.col("reason").is_null())
    reading.keep(grid, good.height)
    return good.select(
        "organisation_name",
        "main_code",
        "sub_code",
        "value",
        _sheet=pl.lit(grid.sheet),
        _row="row",
    )


def read_accounts(
    files: Sequence[RawFile], register: Register | None, *, limits: Limits | None = None
) -> SourceResult:
    """Read accounts workbooks; the illustrative ones among them explain the lines.

    Args:
        files: files of ``provider_accounts``.
        register: finds codes the lists of providers do not give.
        limits: what an untrusted file may cost.

    Returns:
        Rows of ``facts.account_line``, reports and rejected rows. A second value for the same
        provider, year and line is rejected, never added; a provider under two names is one
        (:mod:`pipeline.ingest.sources.account_providers`).
    """
    current = [f for f in files if f.superseded_by is None]
    illustrative = [f for f in current if "illustrative" in f.name.lower()]
    opened = {f.path: open_file(f, limits) for f in illustrative}
    meanings = read_meanings(
        [(f.name, grids) for f in illustrative if not isinstance(grids := opened[f.path], str)]
    )

    def opener(file: RawFile, its_limits: Limits | None) -> list[Grid] | str:
        return opened[file.path] if file.path in opened else open_file(file, its_limits)

    return read_source(
        files,
        "facts.account_line",
        "provider_accounts",
        lambda reading: _parse(reading, register, meanings),
        limits=limits,
        opener=opener,
        settle=lambda done: settle_providers(done, register),
    )
