"""How numbers and names are written, and that no cell becomes a formula or markup."""

from __future__ import annotations

import datetime as dt

import pytest
from site_frames import EVIL

from pipeline.charts import format as fmt


@pytest.mark.parametrize(
    ("pounds", "text"),
    [
        (1_234_567, "£1.2m"),
        (94.4e9, "£94.4bn"),
        (850_000, "£850k"),
        (320, "£320"),
        (0, "£0"),
        (-2_090_000, "−£2.1m"),
        (999_960, "£1m"),
        (999_400, "£999k"),
        (150_400_000, "£150m"),
        (None, "not known"),
        (float("nan"), "not known"),
    ],
)
def test_pounds_are_written_as_they_are_said(pounds, text):
    assert fmt.money(pounds) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.016, "1.6%"),
        (0.05, "5.0%"),
        (0.3412, "34%"),
        (0.00042, "0.04%"),
        (0.00001, "under 0.01%"),
        (0.0, "0%"),
        (-0.012, "−1.2%"),
        (0.0497, "4.97%"),
        (0.01996, "1.996%"),
        (0.0499999, "4.999%"),
        (0.0503, "5.0%"),
        (0.0247, "2.5%"),
        (0.0148, "1.48%"),
        (0.145, "14.5%"),
        (None, "not known"),
    ],
)
def test_percentages_have_sensible_digits(share, text):
    assert fmt.percent(share) == text


def test_pounds_that_a_reader_may_add_up_have_every_penny():
    assert fmt.to_the_penny(3_451_234_567.1) == "£3,451,234,567.10"
    assert fmt.to_the_penny(-0.05) == "−£0.05"


def test_a_range_is_told_where_there_is_one():
    assert fmt.in_range(0.012, 0.018) == " (range 1.2% to 1.8%)"
    assert fmt.in_range(-1e6, 2e6, fmt.money) == " (range −£1m to £2m)"
    assert fmt.in_range(0.012, 0.012) == ""
    assert fmt.in_range(0.1 + 0.2, 0.3) == ""
    assert fmt.in_range(None, 0.018) == " (range not known)"


def test_a_number_that_is_rounded_to_nought_has_no_minus_sign():
    assert [fmt.decimal(v, 2) for v in (-0.001, -0.006, 0.5)] == ["0.00", "−0.01", "0.50"]


@pytest.mark.parametrize(
    ("date", "text"),
    [
        ("2022-06-29", "29 June 2022"),
        ("2020-05", "May 2020"),
        ("2009", "2009"),
        ("spring 2009", "spring 2009"),
    ],
)
def test_a_date_is_written_as_exactly_as_it_is_known(date, text):
    assert fmt.as_known(date) == text


def test_a_chosen_level_is_written_exactly():
    assert [fmt.exact_percent(v) for v in (0.05, 0.015, 0.0325)] == ["5%", "1.5%", "3.25%"]


def test_register_names_are_not_shouted():
    assert fmt.readable_name("GUY'S AND ST THOMAS' NHS FOUNDATION TRUST") == (
        "Guy's and St Thomas' NHS Foundation Trust"
    )
    assert fmt.short_name("STOKE-ON-TARN AND THE WOLDS NHS TRUST") == "Stoke-On-Tarn and the Wolds"
    assert fmt.short_name("NHS TARNSHIRE INTEGRATED CARE BOARD") == "Tarnshire"
    assert fmt.short_name(None, "Z01") == "Z01"


def test_a_name_that_is_only_a_legal_ending_is_kept():
    assert fmt.short_name("NHS TRUST") == "NHS Trust"


def test_labels_cannot_carry_markup_into_plotly():
    assert "<script" not in fmt.label(EVIL, 60, 1)
    assert "&lt;script&gt;" in fmt.label(EVIL, 60, 1)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", " ="])
def test_text_that_looks_like_a_formula_gets_an_apostrophe(start):
    assert fmt.spreadsheet_cell(start + "HYPERLINK(1)").startswith("'")


def test_numbers_stay_numbers_in_csv():
    assert fmt.spreadsheet_cell(-12.5) == "-12.5"
    assert fmt.spreadsheet_cell("-12.5") == "-12.5"
    assert fmt.spreadsheet_cell(None) == ""
    assert fmt.spreadsheet_cell(dt.date(2020, 4, 1)) == "2020-04-01"
