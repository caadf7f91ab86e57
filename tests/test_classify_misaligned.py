"""Files whose columns slipped are noticed, sound files are not."""

import polars as pl

from pipeline.classify import detect_misaligned, misalignment_sentences

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


IT = ["Cerner Ltd", "Dell Corporation Ltd", "Softcat plc", "CDW Ltd"]
TRADES = ["NHS Supply Chain", "Boots Pharmacy", "Wates Construction Ltd"]
CARE = ["Drugs", "Medical Gases", "Blood Products", "Agency Nursing"]


def test_types_sorted_on_their_own_do_not_fit_their_suppliers():
    rows = list(zip(CARE, IT, strict=True)) + [("Computer Software", name) for name in TRADES]
    found = detect_misaligned(lines("a.csv", rows * 3)).row(0, named=True)
    assert (found["verdict"], found["at_odds"]) == ("unfit", 1.0)
    told = misalignment_sentences(detect_misaligned(lines("a.csv", rows * 3)))
    assert "100% of the pairs" in told["a.csv"]


def test_one_catch_all_type_is_how_a_publisher_books_and_no_slip():
    rows = [("Medical Gases", name) for name in IT] * 5 + [("Rent", "Landlord LLP")] * 5
    assert detect_misaligned(lines("a.csv", rows))["verdict"].to_list() == ["aligned"]


def test_one_wrong_booking_every_week_is_no_slip():
    rows = [("IT Costs", "Kent Cleaning Ltd")] * 40 + [("IT Costs", name) for name in IT]
    rows += [(kind, "Dell Corporation Ltd") for kind in CARE[:3]]
    assert detect_misaligned(lines("a.csv", rows))["verdict"].to_list() == ["aligned"]


def test_types_at_odds_one_way_only_are_no_slip():
    rows = list(zip(CARE, IT, strict=True)) * 3
    found = detect_misaligned(lines("a.csv", rows)).row(0, named=True)
    assert (found["verdict"], found["at_odds"]) == ("aligned", 1.0)


def test_lines_count_as_often_as_they_stand_there():
    rows = SOUND * 5 + [("Softcat plc", "Computer hardware")] * 2
    once, twice = lines("a.csv", rows), lines("a.csv", rows * 2)
    shares = [detect_misaligned(f)["misaligned_share"].item() for f in (once, twice)]
    assert shares[0] == shares[1] == 2 / 17
