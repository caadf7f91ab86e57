"""Files whose columns slipped are noticed, sound files are not."""

import polars as pl

from pipeline.classify import detect_misaligned

SOUND = [
    ("Drugs", "AAH Pharmaceuticals Ltd"),
    ("IT Costs", "Softcat plc"),
    ("Rent", "Landlord LLP"),
]


def lines(file: str, rows: list[tuple[str, str]]) -> pl.DataFrame:
    return pl.DataFrame(
        [{"source_file": file, "expense_type": kind, "supplier": name} for kind, name in rows]
    )


def test_a_sound_file_is_aligned():
    found = detect_misaligned(lines("a.csv", SOUND * 40)).row(0, named=True)
    assert (found["lines"], found["verdict"], found["misaligned_share"]) == (120, "aligned", 0.0)


def test_swapped_columns_are_misaligned():
    swapped = [(name, kind) for kind, name in SOUND]
    both = pl.concat([lines("a.csv", SOUND * 40), lines("b.csv", swapped * 10)])
    verdicts = dict(detect_misaligned(both).select("source_file", "verdict").iter_rows())
    assert verdicts == {"a.csv": "aligned", "b.csv": "misaligned"}


def test_a_few_slipped_rows_are_suspect():
    rows = SOUND * 33 + [("Softcat plc", "Computer hardware")]
    found = detect_misaligned(pl.concat([lines("a.csv", rows)])).row(0, named=True)
    assert found["verdict"] == "suspect"
    assert found["type_like_supplier"] == 0.01


def test_wrapped_cells_are_counted():
    rows = SOUND * 3 + [("Software/License\nComputer", "Cerner Ltd")]
    found = detect_misaligned(lines("a.csv", rows)).row(0, named=True)
    assert (found["wrapped"], found["verdict"]) == (0.1, "misaligned")
