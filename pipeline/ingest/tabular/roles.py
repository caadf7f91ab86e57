"""What each column of a spend table means: its header and its values vote together.

A header that says date over values that are no dates is not believed, and a blank or misspelt
header is filled from what the values look like. When two readings are equally good the table is
refused with both named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.ingest.tabular.profile import MONTH_ONLY, Profile
from pipeline.ingest.tabular.vocabulary import normalise, role_of


class LayoutError(ValueError):
    """The table cannot be understood; the message says what is missing or ambiguous."""


@dataclass(frozen=True)
class Layout:
    """How one sheet was understood.

    Attributes:
        header_rows: physical rows of the header; empty when the table has none.
        columns: role -> grid column.
        headers: grid column -> header as published.
        notes: decisions worth telling, as sentences.
        warnings: what a reader should know.
        confidence: 0..1, the weakest essential decision.
        no_dates: what stands in the column that its header calls the date, where it holds none; empty
            where a column of dates was found.
    """

    header_rows: tuple[int, ...]
    columns: dict[str, str]
    headers: dict[str, str]
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    confidence: float = 1.0
    no_dates: str = ""


def _content_score(role: str, p: Profile) -> float:
    """How well values fit a role; a negative value forbids it."""
    if p.n == 0:
        return -0.2 if role in ("amount", "date", "supplier") else 0.0
    dates = max(p.date, p.serial if p.serial > 0.8 and p.decimal < 0.2 else 0.0)
    if role == "date":
        return max(dates, p.month * 0.8) if max(dates, p.month) >= 0.5 else -1.0
    if role == "amount":
        if p.money < 0.5 or (p.date > 0.5):
            return -1.0
        return (
            0.35 + 0.25 * p.decimal + 0.1 * (p.negative > 0) + 0.15 * p.over_threshold
            + 0.15 * min(p.digits_spread * 2, 1)
        ) * p.money  # fmt: skip
    if role == "supplier":
        if p.text < 0.3 and p.distinct < 0.05:
            return -0.5
        return (
            -0.3
            if p.constant and p.legal < 0.5
            else 0.15
            + 0.5 * min(p.legal * 1.6, 1)
            + 0.25 * p.company * p.text
            + 0.1 * min(p.distinct * 2, 1)
        )
    if role == "expense_type":
        return (
            -0.5
            if p.text < 0.4
            else 0.2
            + 0.5 * p.ledger
            + 0.1 * (p.distinct < 0.7)
            - 0.3 * p.constant
            - 0.5 * p.legal
            - 0.3 * (p.publisher > 0.9)
        )
    if role == "expense_area":
        return (
            -0.5
            if p.text < 0.3
            else 0.2
            + 0.5 * p.area
            + 0.1 * (p.distinct < 0.7)
            - 0.5 * p.legal
            - 0.3 * (p.publisher > 0.9)
        )
    if role == "entity":
        return 0.9 * p.publisher if p.distinct <= max(0.15, 2.5 / p.n) else -0.2
    if role == "department":
        return 0.3 if p.distinct <= max(0.1, 1.5 / p.n) else -0.4
    if role == "reference":
        return 0.4 if p.money > 0.6 or (p.text < 0.6 and p.distinct > 0.4) else 0.05
    if role == "description":
        return 0.3 * p.text
    if role in ("debit", "credit"):
        return 0.3 if p.money >= 0.5 and p.date < 0.5 else -1.0
    return 0.1


_NET_OF_VAT = re.compile(r"\b(?:nett?|ex|exc|excl|excluding)\b.{0,60}\bvat\b")
#: How good a name an amount without VAT is at least; known names of gross amounts are less good.
NET = 0.85
#: A header that is no known name but holds a word of one is less sure than this.
ONLY_A_WORD = 0.6
ESSENTIAL = ("amount", "date", "supplier")
NEARLY_EQUAL = 0.2  # of two unnamed columns of words that fit a role about as well neither is taken
FILLED_BY_CONTENT = ("amount", "date", "supplier", "expense_type", "expense_area")


_UNITS = re.compile(
    r"(?<![\d,])'?000'?s?\b|\bthousands?\b|£ ?[mk]\b|\bmillions?\b|\bpence\b", re.IGNORECASE
)


MONTHS_AS_COLUMNS = "the columns are months"
_BARE = re.compile(
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)$",
    re.IGNORECASE,
)


def refuse_months_as_columns(headers: Iterable[str | None]) -> None:
    """Refuse a table whose columns are months.

    Args:
        headers: the cells of its header.

    Raises:
        LayoutError: when several of them are months.
    """
    months = [h for h in headers if h and (MONTH_ONLY.match(h.strip()) or _BARE.match(h.strip()))]
    if len(set(months)) >= 2:
        raise LayoutError(
            f"{MONTHS_AS_COLUMNS} ({', '.join(map(repr, months[:3]))}): one row holds several "
            "payments; lay the payments out one a row, with a column of dates"
        )


_FOREIGN = re.compile(r"€|\$|\beuros?\b|\beur\b|\busd\b|\bdollars?\b", re.IGNORECASE)


_UNITS_OF_ALL = re.compile(
    r"£ ?['’‘]?000|(?<!\d)['’‘]000s?\b|(?<![\d,.'’‘ ])000['’‘]?s\b|\((?:£ ?)?['’‘]?000['’‘]?s?\)"
    r"|\bin (?:£ ?)?(?:thousands|millions|pence)\b|\bthousands of pounds\b|\(£ ?[mk]\)|\bin £ ?[mk]\b",
    re.IGNORECASE,
)
#: Payments over 25,000 pounds, given in thousands, are hardly ever larger than this.
TOO_LARGE_FOR_THOUSANDS = 10_000.0


def unit_of_titles(titles: Iterable[str]) -> str | None:
    """The first title above a table that says its amounts are in thousands, millions or pence."""
    return next((title for title in titles if _UNITS_OF_ALL.search(title)), None)


def refuse_units(header: str | None) -> None:
    """Refuse a column of amounts that its header says is in thousands or millions.

    Args:
        header: header of the column taken for the amount.

    Raises:
        LayoutError: when the header names a unit other than pounds.
    """
    if header and _UNITS.search(header):
        raise LayoutError(
            f"the amounts under {header!r} are in pence, thousands or millions; give them in pounds and "
            "head the column 'Amount'"
        )
    if header and _FOREIGN.search(header):
        raise LayoutError(
            f"the amounts under {header!r} are in another currency; nothing is converted. Give them in "
            "pounds and head the column 'Amount'"
        )


def assign_roles(headers: dict[str, str | None], profiles: dict[str, Profile]) -> Layout:
    """Decide what each column means from its header and its values.

    Args:
        headers: grid column -> header text or None.
        profiles: grid column -> profile of its values.

    Raises:
        LayoutError: when no column can be the amount, the date or the supplier, or two are equally
            likely to be the amount and nothing tells them apart.
    """
    refuse_months_as_columns(headers.values())
    columns: dict[str, str] = {}
    notes: list[str] = []
    warnings: list[str] = []
    confidence = 1.0
    votes: list[tuple[float, str, str, float]] = []
    disbelieved: dict[str, str] = {}
    for column, header in headers.items():
        found = role_of(header)
        if found is None:
            continue
        role, strength = found
        if role == "amount" and _FOREIGN.search(header or ""):
            continue
        if role == "amount" and _NET_OF_VAT.search(normalise(header)):
            strength = max(strength, NET)  # however it is put, net comes before gross
        if (
            role == "expense_type"
            and "expenditure" in normalise(header)
            and profiles[column].budget > 0.9
        ):
            continue  # the department's "Expenditure Type" is Programme, Admin or Capital
        fit = _content_score(role, profiles[column])
        if role == "supplier" and fit < 0 and strength >= 0.9 and profiles[column].text >= 0.8:
            others = (_content_score("supplier", p) for c, p in profiles.items() if c != column)
            if max(others, default=0.0) < 0.45:  # one supplier was paid in every row
                fit = 0.1
        if fit <= -0.5 or (fit < 0 and role in ESSENTIAL and profiles[column].n > 0):
            disbelieved.setdefault(role, column)
            warnings.append(
                f"The column headed {header!r} does not hold what its header says; "
                "it was read by its values instead."
            )
            continue
        # Which of several money columns is meant is for their names to say, not for their values.
        weight = 0.35 * (min(profiles[column].filled, 0.5) if role == "amount" else fit)
        votes.append((strength + weight, role, column, fit))
        if role == "department" and fit < 0:  # "Department" is also what a cost centre is called
            votes.append((0.55, "expense_area", column, fit))
    _refuse_equal_amounts(votes, headers)
    for _, role, column, _ in sorted(votes, key=lambda v: -v[0]):
        if role not in columns and column not in columns.values():
            columns[role] = column
    if (
        "department" in columns
        and _content_score("department", profiles[columns["department"]]) < 0
    ):
        if "expense_area" not in columns:
            columns["expense_area"] = columns.pop("department")
        else:
            columns.pop("department")
    _settle_debit_and_credit(columns, headers, notes)
    _fill_from_content(headers, profiles, columns, notes, warnings)
    _prefer_pounds(votes, headers, columns)
    _tell_other_amounts(votes, headers, columns, notes)
    _undo_swapped_supplier(headers, profiles, columns, warnings)
    _undo_swapped_area(headers, profiles, columns, warnings)
    _take_names_for_codes(headers, profiles, columns, notes)
    if "date" not in columns and "period" in columns:
        columns["date"] = columns["period"]
        notes.append("Dates are known by month only.")
    for role in ESSENTIAL:
        if role not in columns and role != "date" and not (role == "amount" and "debit" in columns):
            known = ", ".join(repr(h) for h in headers.values() if h) or "without headers"
            if role in disbelieved:
                example = profiles[disbelieved[role]].example
                raise LayoutError(
                    f"the column headed {headers[disbelieved[role]]!r} holds no {role} (it holds "
                    f"{example!r}), and no other column does; look at the published file and offer "
                    "a corrected one"
                )
            raise LayoutError(
                f"no column holds the {role}; the columns are {known}. Name it in the header "
                f"(for example {_example(role)!r}) and offer the file again"
            )
        if role in columns and role_of(headers[columns[role]]) is None:
            confidence = min(confidence, 0.8)
    refuse_units(headers.get(columns.get("amount", columns.get("debit", ""))))
    named = {c: h for c, h in headers.items() if h}
    no_dates = ""
    if "date" in disbelieved and "date" not in columns:
        example = profiles[disbelieved["date"]].example
        no_dates = (
            f"the column headed {headers[disbelieved['date']]!r} holds no date that can be read"
        )
        no_dates += f" (it holds {example!r})" if example else " (it is empty)"
    return Layout((), columns, named, notes, warnings, confidence, no_dates)


def _settle_debit_and_credit(
    columns: dict[str, str], headers: dict[str, str | None], notes: list[str]
) -> None:
    """Keep columns of debits and credits only where no column holds the amount itself."""
    if "amount" in columns or "debit" not in columns:
        columns.pop("debit", None)
        columns.pop("credit", None)
    elif "credit" in columns:
        notes.append(
            f"The amount is {_name(headers, columns['debit'])} less "
            f"{_name(headers, columns['credit'])}."
        )


_POUNDS = re.compile(r"\bgbp\b|sterling|£", re.IGNORECASE)


def _prefer_pounds(
    votes: list[tuple[float, str, str, float]],
    headers: dict[str, str | None],
    columns: dict[str, str],
) -> None:
    """Where a column says in which currency each row is, take the amount that is headed pounds."""
    if not {"amount", "currency"} <= columns.keys() or _POUNDS.search(
        headers[columns["amount"]] or ""
    ):
        return
    named = {v[2] for v in votes if v[1] == "amount" and _POUNDS.search(headers[v[2]] or "")}
    if len(named) == 1:
        columns["amount"] = named.pop()


def _tell_other_amounts(
    votes: list[tuple[float, str, str, float]],
    headers: dict[str, str | None],
    columns: dict[str, str],
    notes: list[str],
) -> None:
    """Say which column of money was taken when headers name several."""
    if "amount" not in columns:
        return
    others = [headers[v[2]] for v in votes if v[1] == "amount" and v[2] != columns["amount"]]
    if others:
        notes.append(
            f"Of several columns of money {_name(headers, columns['amount'])} was taken; "
            f"not taken: {', '.join(repr(h) for h in others)}."
        )


def _refuse_equal_amounts(
    votes: list[tuple[float, str, str, float]], headers: dict[str, str | None]
) -> None:
    """Refuse a table in which two columns of money have the very same name."""
    money = sorted(((v[0], v[2]) for v in votes if v[1] == "amount" and v[3] > 0), reverse=True)
    if len(money) < 2:
        return
    first, second = money[0][1], money[1][1]
    if normalise(headers[first]) == normalise(headers[second]):
        raise LayoutError(
            f"columns {int(first[1:]) + 1} and {int(second[1:]) + 1} are both headed "
            f"{headers[first]!r} and hold money; nothing says which of them was paid. Rename one"
        )
    known = [role_of(headers[c]) for c in (first, second)]
    if money[0][0] == money[1][0] and all(k is not None and k[1] < ONLY_A_WORD for k in known):
        raise LayoutError(
            f"{_name(headers, first)} and {_name(headers, second)} both hold money and nothing says which of "
            "them was paid; head that column 'Amount'"
        )


def _example(role: str) -> str:
    return {"amount": "Amount", "supplier": "Supplier", "date": "Date"}.get(role, role)


def _fill_from_content(
    headers: dict[str, str | None],
    profiles: dict[str, Profile],
    columns: dict[str, str],
    notes: list[str],
    warnings: list[str],
) -> None:
    """Give essential roles that no header named to the column whose values fit them best."""
    for role in FILLED_BY_CONTENT:
        if role in columns or (role == "amount" and "debit" in columns):
            continue
        free = [
            c
            for c, p in profiles.items()
            if c not in columns.values()
            and p.n > 0
            and _may_be(role, headers[c])
            and not (role in ("expense_type", "expense_area") and (p.constant or p.budget > 0.9))
        ]
        scored = sorted(((_content_score(role, profiles[c]), c) for c in free), reverse=True)
        floor = {"date": 0.5, "amount": 0.45, "supplier": 0.3}.get(role, 0.2)
        scored = [
            s
            for s in scored
            if s[0] >= floor and (role not in ESSENTIAL or profiles[s[1]].filled > 0.3)
        ]
        if not scored:
            continue
        if role == "amount" and len(scored) > 1 and scored[0][0] - scored[1][0] < 0.08:
            raise LayoutError(
                f"two columns could be the amount ({_name(headers, scored[0][1])} and "
                f"{_name(headers, scored[1][1])}) and no header says which; name it 'Amount'"
            )
        # Two columns for type and area together are told apart by their words; more are not.
        rivals = [s for s in scored if profiles[s[1]].ledger + profiles[s[1]].area > 0.1]
        both_missing = role == "expense_type" and "expense_area" not in columns
        if (
            role not in ESSENTIAL
            and len(rivals) > 1 + both_missing
            and scored[0][0] - rivals[1][0] < NEARLY_EQUAL
        ):
            warnings.append(
                f"{_name(headers, scored[0][1])} and {_name(headers, scored[1][1])} could both be the "
                f"{role.replace('_', ' ')}, and no header says which; neither was taken."
            )
            continue
        column = scored[0][1]
        columns[role] = column
        notes.append(
            f"{_name(headers, column)} was taken for the {role.replace('_', ' ')} by its values."
        )


#: Pounds that add up several payments, or that nobody has paid.
_NO_PAYMENT = re.compile(
    r"\b(?:to date|ytd|cumulative|running|budget|balance|outstanding|remaining|contract|commitments?|forecast"
    r"|previous|last year)\b"
)


def _may_be(role: str, header: str | None) -> bool:
    """Whether a column whose header names another role may still be taken for this one."""
    if role == "amount" and _NO_PAYMENT.search(normalise(header)):
        return False
    found = role_of(header)
    return found is None or found[1] < 0.75 or (role in ESSENTIAL and found[0] not in (
        "reference", "their_reference", "vat_amount", "supplier_number", "code", "period", "financial_year",
        "vat_registration", "expense_type", "expense_area", "description", "entity", "department",
        "supplier_type", "supplier_postcode", "contract_number", "project_code", "spend_kind", "status", "other",
    ))  # fmt: skip


def _name(headers: dict[str, str | None], column: str) -> str:
    header = headers.get(column)
    return (
        f"the column headed {header!r}" if header else f"column {int(column[1:]) + 1} (no header)"
    )


#: Share of names with Ltd, Plc and the like from which a column without a known header holds companies.
SURELY_COMPANIES = 0.3
_CODE = re.compile(r"^[A-Za-z]{0,3}[\d/.-]{2,}[A-Za-z]?$")


def _take_names_for_codes(
    headers: dict[str, str | None],
    profiles: dict[str, Profile],
    columns: dict[str, str],
    notes: list[str],
) -> None:
    """Take the names beside a column of codes: ``Supplier, Name`` or ``Account, (no header)``."""
    for role in ("supplier", "expense_type", "expense_area"):
        column = columns.get(role)
        if column is None or not profiles[column].n:
            continue
        here = profiles[column]
        codes = here.company + here.ledger + here.area + here.legal == 0 and here.length <= 12
        if not (codes and _CODE.match(here.example)):
            continue
        for other, p in profiles.items():
            beside = int(other[1:]) == int(column[1:]) + 1
            named = normalise(headers[other]) in ("name", "name 1", "name1", "description", "desc")
            companies = (
                role == "supplier"
                and p.legal >= SURELY_COMPANIES
                and role_of(headers[other]) is None
            )
            if (
                (other not in columns.values() or (named and columns.get("description") == other))
                and p.text >= 0.8
                and p.length > here.length
                and not p.constant
                and (
                    (beside and (headers[other] is None or named))
                    or (role == "supplier" and named)
                    or companies
                )
            ):
                if columns.get("description") == other:
                    columns.pop("description")
                columns[role] = other
                notes.append(
                    f"{_name(headers, column)} holds codes; {_name(headers, other)} was "
                    f"taken for the {role.replace('_', ' ')}."
                )
                break


def _undo_swapped_supplier(
    headers: dict[str, str | None],
    profiles: dict[str, Profile],
    columns: dict[str, str],
    warnings: list[str],
) -> None:
    """Exchange supplier and a text column when company names clearly stand in the other one."""
    if "supplier" not in columns:
        return
    here = profiles[columns["supplier"]]
    for role in ("expense_type", "expense_area", "description"):
        if role not in columns:
            continue
        there = profiles[columns[role]]
        if there.legal > 0.35 and here.legal < 0.05 and here.ledger > 0.3 and here.n >= 8:
            columns["supplier"], columns[role] = columns[role], columns["supplier"]
            warnings.append(
                f"Company names stand under {headers[columns['supplier']]!r}, not under "
                f"{headers[columns[role]]!r}; the two columns were exchanged."
            )
            return


#: How much more the values of type and area look like each other's than like their own. Of columns
#: that are headed rightly none was found below 0.0, of columns headed wrongly none above -0.6.
CLEARLY_SWAPPED = -0.5


def _undo_swapped_area(
    headers: dict[str, str | None],
    profiles: dict[str, Profile],
    columns: dict[str, str],
    warnings: list[str],
) -> None:
    """Exchange type and area when words of a ledger clearly stand under the area."""
    if not {"expense_type", "expense_area"} <= columns.keys():
        return
    if not (headers[columns["expense_type"]] and headers[columns["expense_area"]]):
        return  # what was taken by its values has no header to contradict
    kind, area = profiles[columns["expense_type"]], profiles[columns["expense_area"]]
    if min(kind.n, area.n) < 8 or area.ledger < 0.6:
        return
    if kind.ledger - area.ledger + area.area - kind.area <= CLEARLY_SWAPPED:
        columns["expense_type"], columns["expense_area"] = (
            columns["expense_area"],
            columns["expense_type"],
        )
        warnings.append(
            f"Words of a ledger stand under {headers[columns['expense_type']]!r} and places under "
            f"{headers[columns['expense_area']]!r}; type and area were exchanged."
        )
