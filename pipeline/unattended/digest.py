"""What one refresh has to tell: the facts of the digest.

Belongs here: which facts, in which order, and how many of each. Does not belong here: Markdown and
HTML (``words``), where digests are kept (``shelf``).
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict

from pipeline.compare import Comparison

#: Longer lists are cut, and say how long they were.
MOST = 100
#: The figures that are listed; the others move with them and are counted.
DENOMINATOR = "operating_expenditure_less_impairments"
End = Literal["published", "unchanged", "failed"]


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileChange(_Fact):
    """A file that is new, revised, gone or read differently."""

    path: str
    change: str
    status: str | None
    rows: int | None
    pounds: float | None
    reason: str | None


class FigureChange(_Fact):
    """A share that differs, with everything that can have moved it."""

    organisation_code: str
    organisation_name: str
    financial_year: str
    definition: str
    change: str
    share_old: float | None
    share_new: float | None
    badge_old: str | None
    badge_new: str | None
    causes: tuple[str, ...]


class CheckChange(_Fact):
    """A check that fails, or holds again."""

    check: str
    change: str
    severity: str
    sentence: str
    observed: str | None
    failing_rows: int | None


class Digest(_Fact):
    """What one refresh has to tell.

    Attributes:
        made_at: when, in UTC.
        end: how the refresh ended.
        build: the build that is published now; None when there is none.
        compared_with: the build that the last digest was about; None for the first one.
        is_demo: about organisations that do not exist.
        failure: why nothing was published, when nothing was.
        troubles: sources that could not be fetched, in sentences.
        notes: what else a reader must know.
        files: changed files, ``files_all`` in number.
        figures: changed shares over the default denominator, the largest change first;
            ``figures_listed_of`` in number, ``figures_all`` over all denominators.
        late: releases that are late now and were not at the last digest, as sentences.
        late_all: name -> sentence of everything that is late.
        checks: checks that fail, and those that hold again.
        trusts: trusts with a changed share.
    """

    made_at: dt.datetime
    end: End
    build: str | None
    compared_with: str | None
    is_demo: bool = False
    failure: str | None = None
    troubles: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    files: tuple[FileChange, ...] = ()
    files_all: int = 0
    figures: tuple[FigureChange, ...] = ()
    figures_listed_of: int = 0
    figures_all: int = 0
    trusts: int = 0
    late: tuple[str, ...] = ()
    late_all: dict[str, str] = {}
    checks: tuple[CheckChange, ...] = ()

    @property
    def headline(self) -> str:
        """The digest in one sentence."""
        if self.end == "failed":
            kept = f"build {self.build} stays" if self.build else "there is no earlier one"
            return f"Nothing was published; {kept}."
        if self.end == "unchanged" and self.compared_with in (None, self.build):
            return f"Nothing changed; build {self.build} stays."
        if self.compared_with is None:
            return f"First publication: build {self.build}."
        how = "was published" if self.end == "published" else "was published in between"
        return (
            f"Build {self.build} {how}: {_n(self.files_all, 'file')} and "
            f"{_n(self.figures_all, 'figure')} of {_n(self.trusts, 'trust')} differ from build {self.compared_with}."
        )


def _n(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def files_of(comparison: Comparison) -> list[FileChange]:
    """Changed files as facts; new ones first."""
    order = {"new": 0, "revised": 1, "gone": 2, "superseded": 3, "read differently": 4}
    rows = sorted(comparison.files.to_dicts(), key=lambda r: (order.get(r["change"], 9), r["path"]))
    return [
        FileChange(
            path=r["path"],
            change=r["change"],
            status=r["status_new"],
            rows=r["rows_new"],
            pounds=r["pounds_new"],
            reason=r["reason"],
        )
        for r in rows
    ]


def figures_of(comparison: Comparison) -> tuple[list[FigureChange], int]:
    """The changed shares, those gone first, then the largest change; and the trusts with any changed figure."""
    frame = comparison.figures
    listed = frame.filter(
        pl.col("denominator").eq_missing(pl.lit(DENOMINATOR)),
        ~(pl.col("share_old").is_null() & pl.col("share_new").is_null()),
    )
    gone, moved = pl.col("change") == "gone", pl.col("delta_pp").abs()
    listed = listed.sort(gone, moved, descending=True, nulls_last=True, maintain_order=True)
    found = [
        FigureChange(
            organisation_code=r["organisation_code"],
            organisation_name=r["organisation_name"] or r["organisation_code"],
            financial_year=r["financial_year"],
            definition=r["definition"],
            change=r["change"],
            share_old=r["share_old"],
            share_new=r["share_new"],
            badge_old=r["badge_old"],
            badge_new=r["badge_new"],
            causes=tuple(r["causes"]),
        )
        for r in listed.iter_rows(named=True)
    ]
    return found, frame["organisation_code"].n_unique()


def checks_of(comparison: Comparison) -> list[CheckChange]:
    """Failing checks, blocking and new ones first, then those that hold again."""
    order = {"newly failing": 0, "still failing": 1, "holds again": 2}
    rows = sorted(
        comparison.checks.to_dicts(),
        key=lambda r: (
            order[r["change"]],
            r["severity"] != "blocking",
            r["suite"],
            r["check_name"],
        ),
    )
    return [
        CheckChange(
            check=f"{r['suite']} / {r['check_name']}",
            change=r["change"],
            severity=r["severity"],
            sentence=r["sentence"],
            observed=r["observed"],
            failing_rows=r["failing_rows"],
        )
        for r in rows
    ]
