"""Entries of the corrections ledger and their loading.

Belongs here: what an entry must say. Does not belong here: what it does to rows (``apply``).
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipeline.yaml_text import YamlError, read_yaml

ENTRIES = Path(__file__).parent / "entries"
Scalar = bool | int | float | dt.date | str | None

#: Source -> columns that may be corrected, with their kind.
FIELDS: dict[str, dict[str, Literal["text", "pounds", "date", "number"]]] = {
    "spend_over_25k": {
        "payment_date": "date",
        "month": "date",
        "supplier": "text",
        "expense_type": "text",
        "expense_area": "text",
        "description": "text",
        "transaction_reference": "text",
        "amount_gbp": "pounds",
    },
    "provider_accounts": {"value": "number"},
}
#: Source -> further columns that may say which rows are meant.
PLACES: dict[str, dict[str, Literal["text", "whole"]]] = {
    "spend_over_25k": {"source_sheet": "text", "source_row": "whole"},
    "provider_accounts": {"main_code": "text", "sub_code": "text", "organisation_name": "text"},
}
NEEDED = {"spend_over_25k": ("supplier", "amount_gbp", "month")}


#: A number as text: commas between thousands, none before the pence.
_NUMBER = re.compile(r"-?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d+)?")
#: No figure of a publisher is as large.
MOST = 1e12
#: What other programs keep tables in; nothing of it is read here, so it would be without effect.
_TABLES = {".csv", ".tsv", ".xls", ".xlsx", ".xlsm", ".xlsb", ".ods", ".json", ".toml"}


class CorrectionError(ValueError):
    """An entry is wrong, or no longer fits the data; the message names it and what to do."""


class Entry(BaseModel):
    """One correction.

    Attributes:
        id: its name, unique over all files of the ledger.
        source: the source whose facts it changes.
        file: path of the published file below the raw folder; its latest version is meant.
        sha256: content of that file, when the correction is about this very content.
        organisation: code of the publisher, with ``period`` instead of ``file``.
        period: a month (``2020-04``) for payments, a financial year (``2020/21``) for accounts.
        where: further column values of the rows meant, such as source_row or supplier.
        rows: how many rows it is about.
        field: the column whose value is wrong (or tells the rows to drop).
        was: the value as read from the published file.
        becomes: the right value.
        drop: the rows are left out altogether (payments only).
        reason: why.
        evidence: on what grounds, such as a publisher's letter or a page.
        author: who entered it.
        date: the day it was entered.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{2,79}$")
    source: Literal["spend_over_25k", "provider_accounts"]
    file: str | None = Field(default=None, min_length=3)
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    organisation: str | None = Field(default=None, pattern=r"^[A-Z0-9]{3,5}$")
    period: str | None = None
    where: dict[str, Scalar] = Field(default_factory=dict)
    rows: int = Field(default=1, ge=1)
    field: str
    was: Scalar
    becomes: Scalar = None
    drop: bool = False
    reason: str = Field(min_length=10)
    evidence: str = Field(min_length=10)
    author: str = Field(min_length=2)
    date: dt.date

    @model_validator(mode="after")
    def _says_what_it_must(self) -> Entry:
        fields = FIELDS[self.source]
        if self.field not in fields:
            raise ValueError(
                f"field {self.field!r} cannot be corrected; of {self.source} these can: {', '.join(fields)}"
            )
        if self.file is None and self.sha256 is None and not (self.organisation and self.period):
            raise ValueError("say which file it is about: file, sha256, or organisation and period")
        if bool(self.organisation) != bool(self.period):
            raise ValueError("organisation and period go together")
        pattern = r"\d{4}-(0[1-9]|1[0-2])" if self.source == "spend_over_25k" else r"\d{4}/\d{2}"
        if self.period and not re.fullmatch(pattern, self.period):
            expected = "2020-04" if self.source == "spend_over_25k" else "2020/21"
            raise ValueError(f"period {self.period!r} is not written like {expected}")
        if unknown := set(self.where) - fields.keys() - PLACES[self.source].keys():
            raise ValueError(f"where names unknown columns: {', '.join(sorted(unknown))}")
        self._values()
        return self

    def _values(self) -> None:
        typed(self, self.field, self.was)
        for column, value in self.where.items():
            typed(self, column, value)
        given = "becomes" in self.model_fields_set
        if self.drop == given:
            raise ValueError("say either becomes: <the right value> or drop: true")
        if self.drop and self.source != "spend_over_25k":
            raise ValueError("a line of the accounts can be corrected, not dropped")
        if given and typed(self, self.field, self.becomes) == typed(self, self.field, self.was):
            raise ValueError("becomes is the same as was")
        if given and self.becomes is None and self.field in (*NEEDED.get(self.source, ()), "value"):
            raise ValueError(f"{self.field} must have a value; use drop: true to leave rows out")


def typed(entry: Entry, column: str, value: Scalar) -> str | float | int | dt.date | None:
    """A value of the ledger as the column's own type.

    Args:
        entry: the entry, for its source.
        column: a column of ``FIELDS`` or ``PLACES``.
        value: as written in the YAML file.

    Raises:
        ValueError: when the value is none of that type.
    """
    if value is None:
        return None
    kind = {**FIELDS[entry.source], **PLACES[entry.source]}[column]
    if isinstance(value, bool):
        raise ValueError(f"{column}: {value} is no value of this column; write it in quotes")
    if kind == "text":
        if column == entry.field and value is entry.becomes and not isinstance(value, str):
            raise ValueError(
                f"{column}: {value!r} is a number or a day to YAML, which forgets noughts before it; write the "
                "text in quotes"
            )
        return " ".join(str(value).split())
    if kind == "whole":
        if not isinstance(value, int):
            raise ValueError(f"{column}: {value!r} is no whole number")
        return value
    if kind == "date":
        return _date(column, value)
    return _number(column, value, kind)


def _number(column: str, value: Scalar, kind: str) -> float:
    text = re.sub(r"^(-?)\s*£", r"\1", str(value).strip())
    if isinstance(value, str) and not _NUMBER.fullmatch(text):
        raise ValueError(f"{column}: {value!r} is no number such as 25001.50")
    try:
        number = float(text.replace(",", ""))
    except ValueError as error:
        raise ValueError(f"{column}: {value!r} is no number such as 25001.50") from error
    if not math.isfinite(number) or abs(number) >= MOST:
        raise ValueError(f"{column}: {value!r} is no number such as 25001.50")
    return round(number, 2) if kind == "pounds" else number


def _date(column: str, value: Scalar) -> dt.date:
    try:
        day = value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError(f"{column}: {value!r} is no date such as 2020-04-30") from error
    if column == "month" and day.day != 1:
        raise ValueError(f"{column}: {day} is not the first day of a month")
    return day


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    corrections: tuple[Entry, ...]


def load_corrections(own: Path | None = None, *, entries: Path = ENTRIES) -> tuple[Entry, ...]:
    """All entries: those of the package, then the user's own; by date, then id.

    Args:
        own: folder with further ``*.yaml`` files (setting ``FIVEPERCENT_CORRECTIONS``).
        entries: folder of the package's entries.

    Raises:
        CorrectionError: when the folder is not there, a file cannot be understood, or two entries
            have one id. The message names file and entry.
    """
    if own is not None and not own.is_dir():
        raise CorrectionError(
            f"there is no folder {own}, which FIVEPERCENT_CORRECTIONS names; make it or unset it"
            if not own.exists()
            else f"{own}, which FIVEPERCENT_CORRECTIONS names, is a file; name the folder it lies in"
        )
    for path in sorted(own.rglob("*")) if own is not None else ():
        _refuse_unread(path, own)
    found: dict[str, tuple[Entry, Path]] = {}
    for path in ledger_files(own, entries=entries):
        for entry in _load(path):
            if entry.id in found:
                raise CorrectionError(
                    f"{path.name}: the id {entry.id!r} is also used in {found[entry.id][1].name}; "
                    "give one of them another id"
                )
            found[entry.id] = (entry, path)
    return tuple(sorted((e for e, _ in found.values()), key=lambda e: (e.date, e.id)))


def ledger_files(own: Path | None, *, entries: Path = ENTRIES) -> list[Path]:
    """The files of the ledger, the package's first."""
    folders: Sequence[Path] = [entries] if own is None else [entries, own]
    return [path for folder in folders for path in sorted(folder.iterdir()) if _is_ledger(path)]


def _is_ledger(path: Path) -> bool:
    return path.suffix.lower() in (".yaml", ".yml") and not path.name.startswith(".")


def _refuse_unread(path: Path, folder: Path | None) -> None:
    """Refuse a file that is meant as a ledger and would not be read.

    Raises:
        CorrectionError: for a ledger in a folder within, and for a table.
    """
    if path.name.startswith((".", "~")) or not path.is_file():
        return
    if _is_ledger(path) and path.parent != folder:
        raise CorrectionError(
            f"{path.name} lies in {path.parent.name!r} within the folder of corrections, where it is not read; "
            "move it up"
        )
    if path.suffix.lower() in _TABLES:
        raise CorrectionError(
            f"{path.name} is no ledger: corrections are written in YAML, as docs/inbox-and-corrections.md shows; "
            "write them so, or put the file elsewhere"
        )


def _load(path: Path) -> tuple[Entry, ...]:
    try:
        body = read_yaml(path)
    except (OSError, UnicodeDecodeError, YamlError) as error:
        raise CorrectionError(f"{path.name} is no YAML file that can be read: {error}") from error
    try:
        return _File.model_validate(body if body is not None else {"corrections": []}).corrections
    except ValidationError as error:
        raise CorrectionError(_explain(path, body, error)) from error


def _explain(path: Path, body: object, error: ValidationError) -> str:
    """The first problem of a file, with the entry it is in."""
    first = error.errors()[0]
    place = [str(part) for part in first["loc"]]
    name = ""
    if isinstance(body, dict) and len(first["loc"]) > 1 and isinstance(first["loc"][1], int):
        entry = body["corrections"][first["loc"][1]]
        told = entry.get("id") if isinstance(entry, dict) else None
        name = f", entry {told or first['loc'][1] + 1}"
        place = place[2:]
    what = first["msg"].removeprefix("Value error, ")
    if first["type"] == "tuple_type" or not first["loc"]:
        what, place = "expected `corrections:` with a list of entries below it", []
    return f"{path.name}{name}: {'.'.join(place) + ': ' if place else ''}{what}"
