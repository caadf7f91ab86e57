"""Providers of accounts that two names, or two files, give the same code in a year.

A workbook and its correction may spell a provider in two ways: it is one provider, and the later file
counts. A trust that was authorised as a foundation trust in the year has two accounts, one for each part
of it: flows of both are its year. What is neither has no code, because nobody knows whose figures they
are.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass

import polars as pl

from pipeline.ingest.names import Register, comparable
from pipeline.ingest.result import Done, by_name

#: Totals nearer to each other than this part of them are the same figures, rounded; those up to the second
#: may be the same figures, corrected, and are not taken for two halves of a year.
SAME, MAYBE_SAME = 0.001, 0.03
_LEGAL = re.compile(r"\b(?:NHS|FOUNDATION|TRUST|FT)\b|\s")
#: Lines that add up over the parts of a year: income, spending, staff costs, additions to assets.
_FLOWS = (
    pl.col("main_code").str.contains(r"^A(?:02|08)")
    | (pl.col("main_code").str.starts_with("A09") & (pl.col("unit") == "GBP thousand"))
    | (
        pl.col("main_code").str.contains(r"^A1[34]")
        & pl.col("sub_code").str.contains(r"^(?:PPE|INT|ROU)00[6-9]0")
    )
)


@dataclass(frozen=True)
class _Account:
    """One provider's total of a year in one file, by the name it has there."""

    place: int
    path: str
    name: str
    total: float | None

    @property
    def is_foundation(self) -> bool:
        return "FOUNDATION" in comparable(self.name)

    @property
    def bare(self) -> str:
        """The name without the words that change when a trust is authorised."""
        return _LEGAL.sub("", comparable(self.name))

    def same_total(self, other: _Account, near: float = SAME) -> bool:
        """Whether both tell the same figure, or one of them none."""
        if self.total is None or other.total is None:
            return True
        return abs(self.total - other.total) <= near * max(abs(self.total), abs(other.total))


def settle_providers(done: Done, register: Register | None) -> Done:
    """Give one code to one provider a year.

    Args:
        done: readings of workbooks with their facts: ``organisation_name``, ``organisation_code``,
            ``financial_year``, ``main_code``, ``sub_code``, ``value``, ``unit``.
        register: decides which of two providers a code belongs to.

    Returns:
        The same, with names brought to those of the later file, and without codes that are in doubt;
        the readings are told what was done.
    """
    named: dict[tuple[str, str], list[_Account]] = defaultdict(list)
    for place, (reading, facts) in enumerate(done):
        if facts is not None:
            for code, year, name, total in _totals(facts).iter_rows():
                named[code, year].append(_Account(place, reading.file.path, name, total))
    out = list(done)
    for (code, year), found in named.items():
        if len({account.name for account in found}) > 1:
            _settle(out, code, year, found, register)
    return out


def _totals(facts: pl.DataFrame) -> pl.DataFrame:
    """Code, year, name and operating expenditure of the providers of a file."""
    total = (pl.col("main_code") == "A08CY01") & (pl.col("sub_code") == "EXP0390")
    return (
        facts.filter(pl.col("organisation_code").is_not_null())
        .group_by("organisation_code", "financial_year", "organisation_name", maintain_order=True)
        .agg(pl.col("value").filter(total).first())
    )


def _settle(
    out: Done, code: str, year: str, found: Sequence[_Account], register: Register | None
) -> None:
    own = {a.name for a in found if register and register.match(a.name) == code}
    kept: list[_Account] = []
    for account in sorted(found, key=lambda a: (by_name(a.path), -a.place), reverse=True):
        if any(account.name == other.name for other in kept):
            continue
        one = next((k for k in kept if _is_one(account, k, own)), None)
        if one is None:
            kept.append(account)
        else:
            _rename(out, account, one.name)
    if len(kept) == 2 and _are_parts(kept[0], kept[1], own):
        before, after = sorted(kept, key=lambda a: a.is_foundation)
        _without_code(out, before, code, ~_FLOWS)
        told = (
            f"{before.name} and {after.name} both have accounts of {year}: the trust was authorised in the "
            "year, and its figures are those of both parts together."
        )
    elif len(kept) > 1:
        ours = [account for account in kept if account.name in own]
        for account in kept:
            if ours != [account]:
                _without_code(out, account, code, pl.lit(True))
        whose = (
            f"it is that of {ours[0].name}" if len(ours) == 1 else "it was given to none of them"
        )
        told = (
            f"Several providers of {year} have the code {code} ({'; '.join(a.name for a in kept)}), and "
            f"{whose}. Correct the list of providers, or the names in pipeline/reference/former_names.yaml."
        )
    else:
        return
    for place in sorted({account.place for account in kept}):
        out[place][0].report.warnings.append(told)


def _same_name(account: _Account, other: _Account, own: Set[str]) -> bool:
    """Whether two names are one but for the words of authorisation, or the register knows both."""
    return account.bare == other.bare or {account.name, other.name} <= own


def _is_one(account: _Account, other: _Account, own: Set[str]) -> bool:
    """Whether two names are of the same provider with the same year."""
    if account.is_foundation != other.is_foundation:
        return account.same_total(other) and _same_name(account, other, own)
    if account.path == other.path:
        return account.bare == other.bare
    return _same_name(account, other, own) or account.same_total(other)


def _are_parts(account: _Account, other: _Account, own: Set[str]) -> bool:
    """Whether two accounts are those of a trust before and after it was authorised."""
    return (
        account.is_foundation != other.is_foundation
        and _same_name(account, other, own)
        and not account.same_total(other, MAYBE_SAME)
    )


def _change(out: Done, account: _Account, column: pl.Expr) -> None:
    reading, facts = out[account.place]
    if facts is not None:
        out[account.place] = reading, facts.with_columns(column)


def _rename(out: Done, account: _Account, name: str) -> None:
    mine = pl.col("organisation_name") == account.name
    new = pl.when(mine).then(pl.lit(name)).otherwise("organisation_name")
    _change(out, account, new.alias("organisation_name"))


def _without_code(out: Done, account: _Account, code: str, lines: pl.Expr) -> None:
    mine = (pl.col("organisation_name") == account.name) & (pl.col("organisation_code") == code)
    _change(
        out,
        account,
        pl.when(~(mine & lines)).then("organisation_code").alias("organisation_code"),
    )
