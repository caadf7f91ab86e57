"""Digital Maturity Assessment: every score sheet of the official workbook, hidden ones too.

Years are read from titles and headers, never assumed. The self-assessments of 2015 to 2017 score
from 0 to 100 and are refused, because the scales cannot be compared.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.ingest.files import RawFile
from pipeline.ingest.names import Register
from pipeline.ingest.reading import Reading, RefusedFileError
from pipeline.ingest.result import SourceResult, read_source
from pipeline.ingest.tables import clean, is_withheld, number, of_the_whole, squash, top_text
from pipeline.ingest.tabular import Grid, Limits

PILLARS = (
    "Well Led",
    "Ensure Smart Foundations",
    "Safe Practice",
    "Support Workforce",
    "Empower People",
    "Improve Care",
    "Healthy Populations",
)
SPELLINGS = {squash(p): p for p in PILLARS} | {
    "ensuring smart foundations": "Ensure Smart Foundations",
    "smart foundations": "Ensure Smart Foundations",
    "support people": "Support Workforce",
    "supporting people": "Support Workforce",
    "supporting workforce": "Support Workforce",
    "empower citizens": "Empower People",
    "improving care": "Improve Care",
    "healthier populations": "Healthy Populations",
}
OVERALL = "overall_comparable"
_AVERAGE = re.compile(
    r"^(20\d{2}(?: (?:20)?\d{2})?)(?: overall)?(?: dma)?(?: score)? (?:average|overall|mean)\b.*$|"
    r"^(?:average|overall|mean)\b.* (20\d{2}(?: (?:20)?\d{2})?)$"
)
#: Headers of the column of boards; as many scores below a header make a column of scores.
BOARDS = ("ics", "icb", "integrated care board", "integrated care system", "ics name", "icb name")
FEW_SCORES = 10
_PLACE = re.compile(r"\b(?:provider|trust|organisation)s?\b(?!.*\bcode\b)")
OLD_SCALE = (
    "the scores go above 5: this looks like a self-assessment of 2015 to 2017, which scores from 0 "
    "to 100 and cannot be compared with the assessment of 2024 and later; it is not used"
)


@dataclass(frozen=True)
class ScoreSheet:
    """How one sheet was understood: header row, places, scores (pillar, year), other headers."""

    header_row: int
    region: str | None
    icb: str | None
    provider: str | None
    care_setting: str | None
    scores: dict[str, tuple[str, int | None]]
    others: dict[str, str]


def find_scores(grid: Grid) -> ScoreSheet | None:
    """The header of a score sheet: a place column and pillars or yearly averages; or None."""
    cells = [c for c in grid.frame.columns if c != "row"]
    for values in grid.frame.head(40).iter_rows():
        words = {c: squash(v) for c, v in zip(cells, values[1:], strict=True) if v}
        scores: dict[str, tuple[str, int | None]] = {}
        for column, word in words.items():
            if word in SPELLINGS:
                scores[column] = (SPELLINGS[word], None)
            elif found := _AVERAGE.match(word):
                named = re.findall(r"20\d{2}", found[1] or found[2])
                scores[column] = (OVERALL, int(max(named)))

        def place(*names: str, words: dict[str, str] = words) -> str | None:
            return next((c for c, w in words.items() if w in names), None)

        provider = place(
            "provider", "trust", "organisation", "provider name", "trust name", "organisation name"
        ) or next((c for c, w in words.items() if c not in scores and _PLACE.search(w)), None)
        icb = place(*BOARDS)
        if (provider or icb) and scores:
            return ScoreSheet(
                int(values[0]),
                place("region", "region name"),
                icb,
                provider,
                place("care setting", "setting", "type"),
                scores,
                {c: w for c, w in words.items() if c not in scores and c not in {provider, icb}},
            )
    return None


def _year(grid: Grid, header_row: int, file_name: str) -> int | None:
    above = top_text(Grid("", grid.frame.filter(pl.col("row") < header_row), True, ""))
    for text in (grid.sheet, above, file_name):
        years = re.findall(r"(?<!\d)(20\d{2})(?!\d)", text)
        if years:
            return int(max(years))
    return None


def _tell_unused_scores(
    reading: Reading, grid: Grid, found: ScoreSheet, body: pl.DataFrame
) -> None:
    """Warn of columns that hold scores and have no name that is known."""
    for column, header in found.others.items():
        given = body[column].drop_nulls()
        score = body.select(number(column)).to_series().is_between(1, 5).sum()
        if given.len() and score > 0.8 * given.len():
            reading.sheet(grid).warnings.append(
                f"The column {header!r} looks like scores but is no pillar that is known; it is not used."
            )


def _tell_unknown_scores(reading: Reading, grid: Grid) -> None:
    """Warn of a sheet that names trusts or boards beside scores under headers that are not known."""
    cells = [c for c in grid.frame.columns if c != "row"]
    for values in grid.frame.head(40).iter_rows():
        words = {c: squash(v) for c, v in zip(cells, values[1:], strict=True) if v}
        if len(words) < 2 or not any(_PLACE.search(w) or w in BOARDS for w in words.values()):
            continue
        body = grid.frame.filter(pl.col("row") > values[0])
        scores = body.select(
            (number(c).is_between(1, 5).sum() >= FEW_SCORES).alias(c) for c in words
        )
        headers = [words[c] for c, some in scores.row(0, named=True).items() if some]
        if headers:
            reading.sheet(grid).warnings.append(
                f"The sheet looks like scores, but {', '.join(map(repr, headers[:8]))} is no pillar and no "
                "average of a year that is known; it is not used."
            )
        return


def _sheet_facts(
    reading: Reading, grid: Grid, found: ScoreSheet, register: Register | None
) -> pl.DataFrame:
    sheet = reading.sheet(grid)
    sheet.header_rows = (found.header_row,)
    sheet.columns = {f"{p} {y or ''}".strip(): p for p, y in found.scores.values()}
    if not grid.visible:
        sheet.notes.append("The sheet is hidden in the workbook.")
    needs_year = any(year is None for _, year in found.scores.values())
    year = _year(grid, found.header_row, reading.file.name) if needs_year else None
    if needs_year and year is None:
        raise RefusedFileError(
            f"sheet {grid.sheet!r} says nowhere which year its pillar scores are of; expected a "
            "year in its name, its title or the file's name"
        )
    name_column = found.provider or found.icb
    assert name_column is not None  # noqa: S101  find_scores returns no sheet without one
    primary = bool(re.search(r"(?i)primary care|\bPC\b", grid.sheet + " " + top_text(grid, 12)))
    is_board = found.provider is None
    body = grid.frame.filter(pl.col("row") > found.header_row)
    _tell_unused_scores(reading, grid, found, body)
    setting = (
        clean(found.care_setting)
        if found.care_setting
        else pl.lit("ICB primary care" if primary else "ICB" if is_board else "not stated")
    )
    texts = {f"_s{i}": clean(c) for i, c in enumerate(found.scores)}
    rows = body.select(
        "row",
        organisation_name=clean(name_column),
        region=clean(found.region) if found.region else pl.lit(None, pl.String),
        icb_name=clean(found.icb) if found.icb else pl.lit(None, pl.String),
        care_setting=setting,
        **texts,
    )
    any_score = pl.any_horizontal(pl.col(t).is_not_null() for t in texts)
    named = pl.col("organisation_name").is_not_null()
    reading.ignore(grid, "notes below the table", rows.filter(~(named & any_score)).height)
    rows = rows.filter(named & any_score)
    whole = of_the_whole("organisation_name")
    reading.ignore(grid, "average of organisations", rows.filter(whole).height)
    rows = rows.filter(~whole)
    odd = pl.any_horizontal(
        pl.col(t).is_not_null() & number(t).is_null() & ~is_withheld(t) for t in texts
    )
    reading.reject(
        grid, rows.filter(odd).select("row", reason=pl.lit("a score is no number; expected 2.45"))
    )
    rows = rows.filter(~odd)
    said = sum(rows[t].is_not_null().sum() for t in texts)
    rows = rows.with_columns(number(t) for t in texts)
    values = [v for t in texts for v in rows[t].drop_nulls().to_list()]
    if values and max(values) > 5.0001:
        raise RefusedFileError(f"sheet {grid.sheet!r}: {OLD_SCALE}")
    if values and min(values) < 1:
        raise RefusedFileError(
            f"sheet {grid.sheet!r} has a score of {min(values):g}; scores are from 1 to 5. If the file gives "
            "parts or per cent, bring them to the scale of 1 to 5, and leave cells without a score empty"
        )
    if said > len(values):
        sheet.warnings.append(
            f"{said - len(values)} scores are not given (such as * or n/a): left out."
        )
    scored = pl.any_horizontal(pl.col(t).is_not_null() for t in texts)
    reading.reject(
        grid, rows.filter(~scored).select("row", reason=pl.lit("no score is a number from 1 to 5"))
    )
    rows = rows.filter(scored)
    reading.keep(grid, rows.height, rows.height * len(found.scores))
    names = rows["organisation_name"].unique(maintain_order=True).to_list()
    if is_board and len(names) * 2 < rows.height:
        raise RefusedFileError(
            f"sheet {grid.sheet!r} has several rows for each board, so it is about trusts, but no column is "
            "headed as their names; head it 'Provider', as published until now"
        )
    kind = "icb" if is_board else None
    codes = {n: register.match(n, kind=kind) if register else None for n in names}
    missing = [n for n, code in codes.items() if code is None]
    if missing and register:
        sheet.warnings.append(f"No code found for: {'; '.join(missing[:10])}.")
    parts = [
        rows.select(
            organisation_code=pl.col("organisation_name").replace_strict(
                codes, return_dtype=pl.String
            ),
            year=pl.lit(its_year or year),
            care_setting="care_setting",
            pillar=pl.lit(pillar),
            score=pl.col(f"_s{i}"),
            organisation_kind=pl.lit("icb" if is_board else "trust"),
            organisation_name="organisation_name",
            region="region",
            icb_name="icb_name",
            _sheet=pl.lit(grid.sheet),
            _row="row",
        )
        for i, (pillar, its_year) in enumerate(found.scores.values())
    ]
    return pl.concat(parts)


def _parse(reading: Reading, register: Register | None) -> pl.DataFrame:
    parts: list[pl.DataFrame] = []
    for grid in reading.grids:
        found = find_scores(grid) if grid.height else None
        if found is None:
            reading.ignore_sheet(grid, "sheet without scores")
            _tell_unknown_scores(reading, grid)
            continue
        parts.append(_sheet_facts(reading, grid, found, register))
    if not parts:
        everything = " ".join(top_text(g, 15) for g in reading.grids).lower()
        if (
            "readiness" in everything
            or "capabilities" in everything
            or "self-assessment" in everything
        ):
            raise RefusedFileError(OLD_SCALE.replace("the scores go above 5: this", "this"))
        raise RefusedFileError(
            "no sheet has a provider or board column beside pillar scores (Well Led, Ensure Smart "
            "Foundations ...) or yearly averages; expected the workbook of the Digital Maturity "
            "Assessment"
        )
    return pl.concat(parts)


def read_maturity(
    files: Sequence[RawFile], register: Register | None, *, limits: Limits | None = None
) -> SourceResult:
    """Read assessment workbooks; a later file (by name) replaces the same score of an earlier one.

    Args:
        files: files of ``digital_maturity``.
        register: matches names, which are all these files give.
        limits: what an untrusted file may cost.

    Returns:
        Rows of ``facts.maturity`` (score 1 to 5, one row a pillar; the published averages on
        comparable domains are pillar ``overall_comparable``), reports and rejected rows.
    """
    return read_source(
        files,
        "facts.maturity",
        "digital_maturity",
        lambda reading: _parse(reading, register),
        limits=limits,
    )
