"""Payments from raw files to classified facts, as one would write it in pandas.

The same steps and the same totals as the product, for the layouts of the benchmark's trees: encoding
and delimiter, header by the names of its columns, dates and amounts by whole columns, exact repeats,
classification by the package's own rules on distinct values, one Parquet file a financial year. It is
vectorised wherever pandas can be; workbooks are read by calamine, the fastest engine pandas has.

What it need not do, and does not: say why a row was refused, look at what columns hold, decide
between publishers, find versions of a file, keep anything for the next time, choose categories.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
from rapidfuzz import fuzz, process

from pipeline.classify.answers import LABELS
from pipeline.classify.own_rules import default_rules
from pipeline.classify.rulebook import Pass, RuleBook, SupplierRule, TextRule
from pipeline.classify.text import LEGAL_SUFFIX

warnings.filterwarnings("ignore", message="This pattern is interpreted as a regular expression")

NAMES = {
    "entity": ("entity", "entuty"),
    "date": ("date", "date paid", "date of payment", "payment date", "period"),
    "expense_type": ("expense type", "expenses type", "9an - level 9 account name"),
    "expense_area": ("expense area", "expenses area", "cost centre name", "15an - level 15 cost centre"),
    "supplier": ("supplier", "supplier name", ""),
    "description": ("description",),
    "reference": ("transaction number", "transaction reference", "payment number", "invoice number"),
    "amount": (
        "amount", "ap amount", "amount in sterling", "amount in sterling £", "analysed gross",
        "invoice amount",
    ),
}  # fmt: skip
ROLE = {word: role for role, words in NAMES.items() for word in words}
ORDER = ("expense_type", "expense_area", "description", "supplier")
FORMATS = ("%d/%m/%Y", "%m/%d/%Y", "%d-%b-%y", "%d-%b-%Y", "%Y-%m-%d", "%b-%y")


def _role(header: object) -> str | None:
    return ROLE.get(" ".join(str(header).lower().split())) if header == header else ROLE[""]


def _sheets(path: Path) -> list[pd.DataFrame]:
    """The tables of a file as strings, with whatever stands above the header."""
    if path.suffix != ".csv":
        found = pd.read_excel(path, sheet_name=None, header=None, dtype=str, engine="calamine")
        return list(found.values())
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252")
    lines = text[:65_536].splitlines()[:100]
    best, width, score = ",", 1, 0
    for delimiter in ",;\t|":
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter))
        usual, times = widths.most_common(1)[0]
        if usual > 1 and usual * times > score:
            best, width, score = delimiter, max(widths), usual * times
    return [
        pd.read_csv(
            io.StringIO(text), sep=best, header=None, names=range(width), dtype=str,
            keep_default_na=False, na_values=[""], skip_blank_lines=True,
        )
    ]  # fmt: skip


def _dates(text: pd.Series) -> pd.Series:
    """Dates of one file: the first way of writing that fits every value, else serial numbers too."""
    text = text.str.strip()
    for form in FORMATS:
        found = pd.to_datetime(text, format=form, errors="coerce")
        if found.notna().all():
            return found
    serial = pd.to_numeric(text, errors="coerce")
    found = pd.to_datetime("1899-12-30") + pd.to_timedelta(serial, unit="D")
    for form in ("%Y-%m-%d %H:%M:%S", *FORMATS):
        found = found.fillna(pd.to_datetime(text, format=form, errors="coerce"))
    return found


def _amounts(text: pd.Series) -> pd.Series:
    """Pounds, credits negative."""
    bare = text.str.strip()
    negative = bare.str.startswith("(")
    value = pd.to_numeric(bare.str.replace(r"[£,()\s]", "", regex=True), errors="coerce")
    return value.where(~negative, -value).round(2)


def _lines(path: Path) -> list[pd.DataFrame]:
    """The payments of a file."""
    found = []
    for sheet in _sheets(path):
        if sheet.shape[1] < 4:
            continue
        roles = [[_role(cell) for cell in row] for row in sheet.head(20).itertuples(index=False)]
        scores = [len({r for r in row if r}) if "amount" in row else 0 for row in roles]
        if not scores or max(scores) < 4:
            continue
        header = scores.index(max(scores))
        named = [(role, i) for i, role in enumerate(roles[header]) if role]
        blank = sheet.iloc[header].isna()
        named.sort(key=lambda pair: bool(blank.iloc[pair[1]]))  # a name goes before no name
        columns: dict[str, int] = {}
        for role, i in named:
            columns.setdefault(role, i)
        body = sheet.iloc[header + 1 :].dropna(how="all")
        frame = pd.DataFrame(
            {name: body.iloc[:, columns[name]] if name in columns else None for name in NAMES},
            dtype="str",
        )
        frame["is_duplicate"] = body.duplicated()
        frame = frame[frame["supplier"].notna() & frame["amount"].notna() & frame["date"].notna()]
        frame["amount_gbp"] = _amounts(frame["amount"])
        frame["payment_date"] = _dates(frame["date"])
        frame = frame[frame["amount_gbp"].notna() & frame["payment_date"].notna()]
        for name in (*ORDER, "entity", "reference"):
            frame[name] = frame[name].str.strip().str.replace(r"\s+", " ", regex=True)
        frame["source_file"] = path.name
        frame["organisation_code"] = path.parent.name
        frame["source_row"] = frame.index + 1
        found.append(frame.drop(columns=["amount", "date"]))
    return found


def _plain(text: pd.Series) -> pd.Series:
    text = text.str.upper().str.replace(r"['’`´]", "", regex=True)
    text = text.str.replace(r"\b([A-Z])\.", r"\1", regex=True)
    text = text.str.replace(r"\s*&\s*", " AND ", regex=True)
    text = text.str.replace(r"[^A-Z0-9]+", " ", regex=True).str.strip()
    text = text.str.replace(r"\bI ?M AND T\b", "IMT", regex=True)
    text = text.str.replace(r"\bI C T\b", "ICT", regex=True)
    return text.str.replace(r"\bI T\b", "IT", regex=True)


def _label(text: pd.Series, *, last_line: bool) -> pd.Series:
    text = text.fillna("")
    if last_line:
        text = text.str.strip().str.extract(r"([^\r\n]*)\Z", expand=False)
    code = r"^\s*\(?\s*(?i:id\s*:)?\s*\d{3,}\s*\)?\s*[-:]?\s*"
    return _plain(text.str.replace(code, "", n=1, regex=True))


def _bare_name(name: pd.Series) -> pd.Series:
    ending = rf"(?:(?:^|\s+)(?:{LEGAL_SUFFIX}|\d*[A-Z]*\d{{4,}}\S*))+$"
    return (
        name.str.replace(ending, "", regex=True)
        .str.replace(r"^(?:THE )+", "", regex=True)
        .str.strip()
    )


def _supplier(name: pd.Series) -> pd.Series:
    raw = name.fillna("").str.strip().str.extract(r"([^\r\n]*)\Z", expand=False).str.upper()
    named = raw
    for pattern, instead in (
        (r"^\s*(?:ID\s*:\s*)?[A-Z]{0,3}\d{5,}\s*[:\-]\s*", ""),
        (r"\s*:\s*[\dA-Z]*\d{4,}\s*$", ""),
        (r"[(\[]\s*U\.?K\.?\s*[)\]]", " "),
        (r"^\s*\(THE\)", " "),
        (r"\s(?:T\s*/\s*[AS]|TRADING AS|T/AS|FORMERLY)\s.*$", " "),
        (r"[(\[][^)\]]*[)\]]?", " "),
    ):
        named = named.str.replace(pattern, instead, regex=True)
    plain = _plain(named)
    bare = _bare_name(plain)
    return bare.where(bare != "", plain.where(plain != "", _plain(raw)))


def _first_rule(values: pd.Series, rules: tuple[TextRule, ...]) -> pd.Series:
    """Index of the first rule that matches each value, -1 for none."""
    found = pd.Series(-1, index=values.index)
    left = values[values != ""]
    for number, rule in enumerate(rules):
        hit = left.str.contains(rule.pattern, regex=True)
        if hit.any():
            found[left.index[hit]] = number
            left = left[~hit]
    return found


def _effects(found: pd.Series, rules: tuple[TextRule, ...]) -> pd.Series:
    effects = np.array([*(rule.effect for rule in rules), "none"], dtype=object)
    return pd.Series(effects[found.to_numpy()], index=found.index)


def _label_effects(values: pd.Series, rules: tuple[TextRule, ...]) -> pd.Series:
    last, whole = _label(values, last_line=True), _label(values, last_line=False)
    found = _first_rule(last, rules)
    again = (found < 0) & (last != whole)
    found[again] = _first_rule(whole[again], rules)
    return _effects(found, rules)


def _entries(forms: pd.Series, rules: tuple[SupplierRule, ...]) -> pd.Series:
    """Index of the entry of each supplier in the dictionary, -1 for none."""
    begins: dict[str, int] = {}
    full: dict[str, int] = {}
    for number, rule in enumerate(rules):
        for name in rule.names:
            (full if rule.exact else begins).setdefault(name, number)
            for length in range(18, len(name)):
                full.setdefault(name[:length].strip(), number)
    every = {**full, **begins}
    found = forms.map(every)
    words = forms.str.split(" ")
    for count in range(6, 0, -1):
        found = found.fillna(words.str[:count].str.join(" ").map(begins))
    left = forms[found.isna() & (forms.str.len() >= 8)]
    for letter, group in left.groupby(left.str[0]):
        names = [name for name in begins if len(name) >= 8 and name[0] == letter]
        if not names:
            continue
        queries = group.to_list()
        scores = process.cdist(
            queries, names, scorer=fuzz.ratio, score_cutoff=94.0, dtype=np.uint8, workers=-1
        )
        best = scores.argmax(axis=1)
        near = scores[np.arange(len(queries)), best] > 0
        found[group.index[near]] = [begins[names[i]] for i in best[near]]
    return found.fillna(-1).astype(int)


def _supplier_effects(values: pd.Series, book: RuleBook) -> pd.Series:
    forms = _supplier(values)
    entry = _entries(forms, book.suppliers)
    rules = book.text.get("supplier_words", ())
    words = _effects(_first_rule(forms, rules), rules)
    kinds = np.array([*(rule.kind for rule in book.suppliers), "none"], dtype=object)
    by_name = pd.Series(kinds[entry.to_numpy()], index=values.index)
    return by_name.where((entry >= 0) & (words != "not_digital"), words)


def _rules(book: RuleBook, passes: tuple[Pass, ...]) -> tuple[TextRule, ...]:
    return tuple(rule for rule_pass in passes for rule in book.text.get(rule_pass, ()))


def classify(frame: pd.DataFrame) -> pd.DataFrame:
    """Add digital, is_balance_sheet, nature and the ruling, from the package's own rules."""
    book = default_rules()
    effects: dict[str, pd.Series] = {}
    nature = pd.Series("revenue", index=frame.index, dtype=object)
    rules = book.text.get("nature", ())
    said = []
    for column in ORDER:
        values = pd.Series(frame[column].unique())
        read = values
        if column == "description":
            read = values.str.replace(r"\b[Ii]t\b", " ", regex=True)
        own = (
            _supplier_effects(values, book)
            if column == "supplier"
            else _label_effects(read, _rules(book, LABELS[column]))
        )
        effects[column] = frame[column].map(dict(zip(values, own, strict=True)))
        if column != "supplier":
            found = _first_rule(_label(values, last_line=True), rules)
            natures = np.array([*(rule.nature for rule in rules), None], dtype=object)
            said.append(
                frame[column].map(dict(zip(values, natures[found.to_numpy()], strict=True)))
            )
    stacked = pd.concat(said, axis=1)
    nature = stacked.bfill(axis=1).iloc[:, 0].fillna("revenue")
    nature[(stacked == "capital").any(axis=1)] = "capital"
    conditions = []
    for ruling in book.rulings:
        holds = np.ones(len(frame), dtype=bool)
        for column in ORDER:
            if accepted := getattr(ruling, column):
                holds &= effects[column].isin(accepted).to_numpy()
        conditions.append(holds)
    first = np.select(conditions, list(range(len(conditions))), default=-1)
    digital = np.array([r.digital for r in book.rulings], dtype=object)
    balance = np.array([r.balance_sheet for r in book.rulings])
    ids = np.array([r.id for r in book.rulings], dtype=object)
    return frame.assign(
        digital=digital[first], is_balance_sheet=balance[first], nature=nature, ruling=ids[first]
    )


def facts(paths: list[Path], out: Path) -> pl.DataFrame:
    """Read, type, classify and write; returns amount and answer of every line.

    Args:
        paths: spend files.
        out: a folder for one Parquet file a financial year.
    """
    out.mkdir(parents=True, exist_ok=True)
    frame = pd.concat([part for path in paths for part in _lines(path)], ignore_index=True)
    start = frame["payment_date"].dt.year - (frame["payment_date"].dt.month < 4)
    frame["financial_year"] = start.astype(str) + "/" + ((start + 1) % 100).astype(str).str.zfill(2)
    frame["month"] = frame["payment_date"].dt.to_period("M").dt.to_timestamp()
    frame = classify(frame)
    for year, part in frame.groupby("financial_year"):
        ordered = part.sort_values(["organisation_code", "month", "source_file", "source_row"])
        ordered.to_parquet(out / f"{re.sub('/', '-', str(year))}.parquet", compression="zstd")
    told = frame[["amount_gbp", "digital"]]
    return pl.DataFrame({name: told[name].to_list() for name in told.columns})
