"""Which rows a chart is about: the definition, the year, and the organisations that count.

Belongs here: choosing rows of the published tables and saying what was chosen. Does not belong
here: drawing, or computing new measures (the marts do that).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.charts.fixed import FixedTables, once
from pipeline.charts.format import day, month, plural, readable_name
from pipeline.charts.model import Tables
from pipeline.schema import all_tables
from pipeline.store.tables import plain

# A year is shown first only when it has at least this part of the best-covered year's trusts, so
# that one early publisher does not become "the latest picture of England".
ENOUGH_OF_BEST_YEAR = 0.5

#: Marts of all who publish payments. Pages and charts speak of trusts, so boards and national bodies are left out.
_OF_PUBLISHERS = frozenset(
    f"marts.{name}"
    for name in (
        "capital_revenue",
        "coverage",
        "coverage_month",
        "digital_share",
        "funding_pattern",
        "spend_mix",
    )
)

_SOURCE_FALLBACK = {
    "spend_over_25k": "trusts' published payments over £25,000",
    "provider_accounts": "NHS provider accounts (trust accounts consolidation)",
    "digital_maturity": "Digital Maturity Assessment",
    "organisations": "NHS organisation registers",
    "workforce": "NHS workforce statistics",
    "medical_records_cost": "Estates Returns Information Collection",
    "gdp_deflator": "GDP deflators",
}


def frame(tables: Tables, name: str) -> pl.DataFrame:
    """The table called ``name``, or an empty one with the columns of the contract.

    Of marts by publisher only the rows of trusts: boards and national bodies publish payments, too.
    Money comes as floating-point numbers: charts divide it (see :func:`pipeline.store.tables.plain`).
    """
    found = tables.get(name)
    if found is not None and found.width:
        rows = found if isinstance(tables, FixedTables) else plain(found)
        if name not in _OF_PUBLISHERS:
            return rows
        return once(tables, ("trusts of", name), lambda: _of_trusts(tables, rows))
    contract = all_tables().get(name)
    return plain(pl.DataFrame(schema=contract.polars if contract else {}))


def _of_trusts(tables: Tables, rows: pl.DataFrame) -> pl.DataFrame:
    kinds = frame(tables, "dims.organisation").select("organisation_code", "kind")
    others = kinds.filter(pl.col("kind").is_in(["icb", "national"]))["organisation_code"]
    boards = frame(tables, "dims.icb")["icb_code"]
    return rows.filter(
        ~pl.col("organisation_code").is_in([*others, *boards]).fill_null(value=False)
    )


@dataclass(frozen=True)
class Measure:
    """A numerator and a denominator, with the words that define them.

    Attributes mirror ``dims.measure``; ``kind`` is counted, lower bound or estimate.
    """

    definition: str
    denominator: str
    title: str
    denominator_title: str
    formula: str
    denominator_formula: str
    kind: str
    caveats: str
    version: str

    @property
    def first_caveat(self) -> str:
        """What must be known first about the numerator; empty where nothing is said."""
        return self.caveats.split(". ")[0].rstrip(".") + "." if self.caveats else ""

    @property
    def is_capital(self) -> bool:
        """Whether it counts what the accounts call capital, and nothing that is paid from revenue."""
        return self.kind == "counted"

    @property
    def definition_text(self) -> str:
        """The numerator as a sentence for the notes beside a chart."""
        text = f"{self.definition}: {self.title}. {self.formula}"
        if not self.version:
            return text
        own, _, below = self.version.partition("/")
        said = (
            f"Version {own} of the definition, {below} of what it is divided by."
            if below
            else f"Version {own}."
        )
        return f"{text.rstrip('.')}. {said}"

    @property
    def denominator_text(self) -> str:
        """The denominator as a sentence for the notes beside a chart."""
        text = f"{self.denominator_title}. {self.denominator_formula}".strip()
        return text[:1].upper() + text[1:]

    @property
    def spent(self) -> str:
        """How a sentence says that a trust reached a share: the verb belongs to the kind."""
        return {
            "lower bound": "published {level} of expenditure as digital payments",
            "counted": "recorded {level} of expenditure as digital capital",
            "estimate": "spent an estimated {level} of expenditure on digital",
        }.get(self.kind, "spent {level} of expenditure on digital")


def _measure(row: dict) -> Measure:
    words = {k: row.get(k) or "" for k in Measure.__dataclass_fields__}
    return Measure(**words)


def all_measures(tables: Tables) -> tuple[Measure, ...]:
    """Every definition and denominator, the default first, then by identifier."""

    def find() -> tuple[Measure, ...]:
        rows = frame(tables, "dims.measure")
        ordered = rows.sort(
            ["is_default", "definition", "denominator"], descending=[True, False, False]
        )
        return tuple(_measure(row) for row in ordered.iter_rows(named=True))

    return once(tables, "measures", find)


def find_measure(tables: Tables, definition: str, denominator: str) -> Measure:
    """The measure of that name; bare identifiers stand in where ``dims.measure`` lacks it."""
    for candidate in all_measures(tables):
        if (candidate.definition, candidate.denominator) == (definition, denominator):
            return candidate
    return Measure(definition, denominator, definition, denominator, "", "", "", "", "")


def counted(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows that may enter counts, averages and sentences: badge A or B with a known share."""
    return rows.filter(pl.col("badge").is_in(["A", "B"]) & pl.col("share").is_not_null())


def best_year(rows: pl.DataFrame) -> str | None:
    """The latest financial year that is covered about as well as the best-covered one.

    Args:
        rows: One row per trust and ``financial_year``.
    """
    if rows.is_empty():
        return None
    per_year = rows.group_by("financial_year").len()
    best = per_year["len"].max()
    enough = per_year.filter(pl.col("len") >= pl.lit(best) * ENOUGH_OF_BEST_YEAR)
    latest = enough["financial_year"].max()
    return str(latest)


@dataclass(frozen=True)
class Headline:
    """The rows the first charts are about.

    Attributes:
        measure: Definition and denominator shown.
        year: Financial year shown.
        rows: All rows of ``marts.digital_share`` for them that have a share, C included.
        counted: Rows with badge A or B.
        trusts_in_coverage: Trusts that ``marts.coverage`` lists for the same selection.
        benchmark: The share compared with.
    """

    measure: Measure
    year: str
    rows: pl.DataFrame
    counted: pl.DataFrame
    trusts_in_coverage: int
    benchmark: float

    @property
    def n(self) -> int:
        """Trusts that count."""
        return self.counted.height

    @property
    def left_out(self) -> int:
        """Trusts that are drawn in grey and do not count (badge C)."""
        return self.rows.height - self.counted.height

    def place(self, tables: Tables) -> str:
        """`` in London`` where the register puts every trust that counts into one region, else empty."""
        about = frame(tables, "dims.organisation").select("organisation_code", "region")
        found = self.counted.select("organisation_code").join(
            about.unique("organisation_code"), on="organisation_code", how="left"
        )["region"]
        regions = set(found.to_list())
        region = regions.pop() if len(regions) == 1 else None
        return f" in {readable_name(region)}" if region else ""

    @property
    def coverage(self) -> str:
        """How much of the sector the finding covers, in one or two sentences."""
        total = max(self.trusts_in_coverage, self.rows.height)
        text = f"{self.n} of {plural(total, 'trust')} known for {self.year} can be measured"
        if self.left_out:
            one = self.left_out == 1
            text += (
                f"; {self.left_out} more with incomplete data (badge C) "
                f"{'is' if one else 'are'} shown in grey and not counted"
            )
        return text + "."


def headline(
    tables: Tables, definition: str | None = None, denominator: str | None = None
) -> Headline | None:
    """The default definition in its best-covered latest year, or another definition on request.

    Falls back to the combination with the most countable rows where the default has none, then to
    any row with a share. None when no share is known at all.
    """
    question = ("headline", definition, denominator)
    return once(tables, question, lambda: _headline(tables, definition, denominator))


def _headline(tables: Tables, definition: str | None, denominator: str | None) -> Headline | None:
    shares = frame(tables, "marts.digital_share").filter(pl.col("share").is_not_null())
    if shares.is_empty():
        return None
    keys = ["definition", "denominator"]
    usable = counted(shares)
    wanted = None
    if definition is None:
        default = frame(tables, "dims.measure").filter(pl.col("is_default"))
        wanted = default.select(keys).row(0) if default.height else None
    else:
        pool = shares.filter(pl.col("definition") == definition)
        wanted = (definition, denominator or _first_denominator(tables, pool))
    if wanted is None or _of(shares, wanted).is_empty():
        if definition is not None:
            return None
        pool = usable if usable.height else shares
        # Of combinations that as many trusts have, the one over the default denominator.
        other = (pl.col("denominator") != (wanted[1] if wanted else "")).alias("other")
        found = pool.group_by(keys).len().with_columns(other)
        wanted = found.sort("len", "other", *keys, descending=[True, False, False, False])
        wanted = wanted.select(keys).row(0)
    chosen = _of(shares, wanted)
    year = best_year(counted(chosen)) or best_year(chosen)
    if year is None:  # cannot happen: chosen is not empty
        return None
    rows = chosen.filter(pl.col("financial_year") == year)
    coverage = frame(tables, "marts.coverage")
    known = _of(coverage, wanted).filter(pl.col("financial_year") == year)
    return Headline(
        measure=find_measure(tables, *wanted),
        year=year,
        rows=rows,
        counted=counted(rows),
        trusts_in_coverage=known["organisation_code"].n_unique(),
        benchmark=float(rows["benchmark"][0]),
    )


def _of(rows: pl.DataFrame, combination: Sequence[str]) -> pl.DataFrame:
    definition, denominator = combination
    return rows.filter(
        (pl.col("definition") == definition) & (pl.col("denominator") == denominator)
    )


def _first_denominator(tables: Tables, rows: pl.DataFrame) -> str:
    default = frame(tables, "dims.measure").filter(pl.col("is_default"))
    names = sorted(rows["denominator"].unique().to_list())
    if default.height and default["denominator"][0] in names:
        return default["denominator"][0]
    return names[0] if names else ""


def _sources(tables: Tables) -> dict[str, dict]:
    """Rows of meta.source by source."""
    return once(
        tables,
        "sources",
        lambda: {r["source_id"]: r for r in frame(tables, "meta.source").iter_rows(named=True)},
    )


def source_text(tables: Tables, source_ids: Sequence[str]) -> str:
    """Titles and publishers of the sources, as the catalogue writes them."""
    known = _sources(tables)
    parts = []
    for source_id in source_ids:
        row = known.get(source_id)
        if row is None:
            parts.append(_SOURCE_FALLBACK.get(source_id, source_id.replace("_", " ")))
        else:
            publisher = f" ({row['publisher']})" if row["publisher"] else ""
            parts.append(f"{row['title']}{publisher}")
    return "; ".join(parts)


def vintage_text(tables: Tables, source_ids: Sequence[str]) -> str:
    """The latest period in the files and the day of the build."""
    known = _sources(tables)
    periods = []
    for source_id in source_ids:
        period = (known.get(source_id) or {}).get("latest_period")
        if period:
            periods.append(f"{source_id.replace('_', ' ')} to {_period(period)}")
    build = frame(tables, "meta.build")
    made = f"built {day(build['built_at'][0])}" if build.height else "build date not known"
    return f"Files here: {', '.join(periods)}; {made}" if periods else made[0].upper() + made[1:]


def _period(text: str) -> str:
    """``2021-03-01`` as ``March 2021``; any other period as it is."""
    try:
        return month(dt.date.fromisoformat(text))
    except ValueError:
        return text


def any_demo(*frames: pl.DataFrame) -> bool:
    """Whether any row of the frames is about a fictional organisation."""
    return any("is_demo" in f.columns and bool(f["is_demo"].any()) for f in frames)


def as_float(value: object) -> float | None:
    """A statistic of a column as a float; None where the column had no value."""
    return float(value) if isinstance(value, int | float) else None
