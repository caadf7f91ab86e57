"""Normal forms of the text in payment lines.

Belongs here: turning a published expense type, area, description or supplier name into the one form
on which rules are written. Does not belong here: what any of these words mean (`rules/`).
"""

import polars as pl

LEGAL_SUFFIX = (
    r"LTD|LIMITED|LIMTED|LIMTIED|LITED|LTDS|PLC|LLP|LP|INC|INCORPORATED|LLC|GMBH|BV|SARL|SRL|SPA|NV|PTY|PTE"
    r"|CIC|UK|UC|GB|THE|CIS\d?|LIM|LIMI|LIMIT|LIMITE|LT|PL"
)


def _last_line(text: pl.Expr) -> pl.Expr:
    """The text after the last line break (in files made from PDFs the rest is the row above)."""
    return text.str.strip_chars().str.replace(r"(?s)^.*[\r\n]", "")


def without_the_word_it(text: pl.Expr) -> pl.Expr:
    """Free text without the pronoun: only `IT` in capitals can mean information technology."""
    return text.str.replace_all(r"\b[Ii]t\b", " ")


def _plain(text: pl.Expr) -> pl.Expr:
    """Upper case, dotted abbreviations joined, '&' spelt out, everything else a single blank."""
    return (
        text.str.to_uppercase()
        .str.replace_all(r"['’`´]", "")
        .str.replace_all(r"\b([A-Z])\.", "$1")
        .str.replace_all(r"\s*&\s*", " AND ")
        .str.replace_all(r"[^A-Z0-9]+", " ")
        .str.strip_chars(" ")
        .str.replace_all(r"\bI ?M AND T\b", "IMT")
        .str.replace_all(r"\bI C T\b", "ICT")
        .str.replace_all(r"\bI T\b", "IT")
    )


def normal_label(text: pl.Expr, *, last_line: bool = False) -> pl.Expr:
    """Normal form of an expense type, expense area or description.

    Args:
        text: a String expression, nullable.
        last_line: keep only what follows the last line break.

    Returns:
        A String expression: upper case, words separated by one blank, leading ledger codes such as
        `(83610)` or `(id:42735)` removed. Null and empty text become an empty string.
    """
    text = text.fill_null("")
    if last_line:
        text = _last_line(text)
    return _plain(text.str.replace(r"^\s*\(?\s*(?i:id\s*:)?\s*\d{3,}\s*\)?\s*[-:]?\s*", ""))


def _bare_name(name: pl.Expr) -> pl.Expr:
    """A plain company name without legal suffixes, reference numbers and a leading THE."""
    return (
        name.str.replace(rf"(?:(?:^|\s+)(?:{LEGAL_SUFFIX}|\d*[A-Z]*\d{{4,}}\S*))+$", "")
        .str.replace(r"^(?:THE )+", "")
        .str.strip_chars(" ")
    )


def canonical_supplier(suppliers: pl.Series) -> pl.Series:
    """Canonical forms of supplier names, without looking them up anywhere.

    Upper case; the last line of a wrapped cell; company, VAT and account numbers before or after
    the name removed; bracketed remarks, `T/A ...`, legal suffixes (also when cut off) removed. A
    name that consists of nothing else keeps its plain form: only an empty name becomes empty.

    Args:
        suppliers: names, null allowed.

    Returns:
        A String series. Applying the function again changes nothing.
    """
    raw, plain = pl.col("raw"), pl.col("plain")
    named = (
        raw.str.replace(r"^\s*(?:ID\s*:\s*)?[A-Z]{0,3}\d{5,}\s*[:\-]\s*", "")
        .str.replace(r"\s*:\s*[\dA-Z]*\d{4,}\s*$", "")
        .str.replace_all(r"[(\[]\s*U\.?K\.?\s*[)\]]", " ")
        .str.replace_all(r"^\s*\(THE\)", " ")
        .str.replace(r"\s(?:T\s*/\s*[AS]|TRADING AS|T/AS|FORMERLY)\s.*$", " ")
        .str.replace_all(r"[(\[][^)\]]*[)\]]?", " ")
    )
    # Step by step: the table library would work out what is used twice twice.
    forms = (
        pl.DataFrame({"raw": suppliers})
        .select(raw=_last_line(raw.fill_null("")).str.to_uppercase())
        .with_columns(plain=_plain(named))
        .with_columns(bare=_bare_name(plain))
    )
    bare = forms["bare"]
    if (at := (bare == "").arg_true()).len():
        rest = forms[at].select(pl.when(plain != "").then(plain).otherwise(_plain(raw)))
        bare = bare.scatter(at, rest.to_series())
    return bare.rename(suppliers.name)


def trading_name(suppliers: pl.Series) -> pl.Series:
    """The canonical forms of what follows `T/A` or `trading as`; empty when nothing does."""
    after = (
        _last_line(pl.col("name"))
        .str.to_uppercase()
        .str.extract(r"\s(?:T\s*/\s*A|TRADING AS|T/AS)\s+(.*)$", 1)
        .fill_null("")
    )
    at = suppliers.str.to_uppercase().str.contains(r"T\s*/\s*A|TRADING AS").arg_true()
    some = pl.DataFrame({"name": suppliers.gather(at)})
    told = some.select(_bare_name(_plain(after.str.replace_all(r"[()\[\]]", " ")))).to_series()
    none = pl.Series(suppliers.name, [""], dtype=pl.String).new_from_index(0, suppliers.len())
    return none.scatter(at, told) if at.len() else none
