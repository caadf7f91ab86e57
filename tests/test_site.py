"""The site is complete, self-contained, escaped, reproducible, and honest about what is missing."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import json
import re
import time
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlparse

import polars as pl
import pytest
import site_frames as frames
from site_frames import share_row

from pipeline.charts import CHARTS
from pipeline.charts.answer import answer
from pipeline.charts.format import money, short_name, span
from pipeline.charts.model import TableColumn, nothing_to_show
from pipeline.measures import parameter_frame
from pipeline.schema import all_tables
from pipeline.site import build_site, trust_pages
from pipeline.site.changes import MOST_ROWS
from pipeline.site.minute import minute
from pipeline.site.organisations import organisations_with_pages
from pipeline.site.quality import quality_context
from pipeline.site.render import csv_text, html_table, json_text, page_name, slim

OUTSIDE_LINKS_ALLOWED_IN = {"a"}  # a link leads away only when a reader follows it


class Page(HTMLParser):
    """Collects what the tests ask of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.ids: list[str] = []
        self.urls: list[tuple[str, str]] = []
        self.headings: list[int] = []
        self.scripts: list[dict[str, str | None]] = []
        self.specs: list[str] = []
        self.handlers: list[str] = []
        self.text: list[str] = []
        self.tags: list[str] = []
        self._in_spec = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append(tag)
        if "id" in given:
            self.ids.append(given["id"] or "")
        self.urls += [(tag, given[k] or "") for k in ("href", "src") if k in given]
        self.handlers += [k for k in given if k.startswith("on")]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "script":
            self.scripts.append(given)
            self._in_spec = given.get("type") == "application/json"

    def handle_endtag(self, tag):
        if tag == "script":
            self._in_spec = False

    def handle_data(self, data):
        (self.specs if self._in_spec else self.text).append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("site")
    tables = frames.tables(12, ("2019/20", "2020/21"), names={0: frames.EVIL, 1: frames.QUOTED})
    build_site(tables, out)
    return out


@pytest.fixture(scope="module")
def pages(site):
    return [Page(p) for p in sorted(site.rglob("*.html"))]


def test_every_trust_and_board_has_a_page(site):
    assert len(list((site / "trusts").glob("*.html"))) == 12
    assert len(list((site / "boards").glob("*.html"))) == 4


def test_every_link_leads_to_a_file_or_a_place_on_a_page(site, pages):
    by_path = {p.path: p for p in pages}
    for page in pages:
        for tag, url in page.urls:
            parts = urlparse(url)
            if parts.scheme:
                continue
            assert not parts.path.startswith("/"), f"{page.path}: {url} is not relative"
            target = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
            assert target.exists(), f"{page.path.name}: <{tag}> leads to {url}, which is not there"
            if parts.fragment and target.suffix == ".html":
                assert parts.fragment in by_path[target].ids, f"{page.path.name}: no {url}"


def test_no_page_loads_anything_from_another_place(pages):
    for page in pages:
        for tag, url in page.urls:
            if urlparse(url).scheme in {"http", "https"}:
                assert tag in OUTSIDE_LINKS_ALLOWED_IN, f"{page.path.name}: <{tag}> loads {url}"
            assert not url.lower().startswith("javascript:"), page.path.name


def test_no_page_has_an_inline_script_or_handler(pages):
    for page in pages:
        assert not page.handlers
        for script in page.scripts:
            assert script.get("src") or script.get("type") == "application/json"


def test_every_page_forbids_scripts_and_connections_from_elsewhere(site):
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "Content-Security-Policy" in text
        assert "default-src 'none'" in text
        assert "connect-src 'none'" in text


def test_styles_and_scripts_of_the_site_name_no_other_host(site):
    for name in ("site.css", "site.js", "theme.js", "search.js"):
        text = (site / "assets" / name).read_text(encoding="utf-8")
        assert "http" not in text
        assert "@import" not in text
        assert "eval(" not in text
        assert "innerHTML" not in text


def test_a_trust_called_script_is_shown_as_text(site, pages):
    for page in pages:
        raw = page.path.read_text(encoding="utf-8")
        assert frames.EVIL not in raw
        assert "alert(1)</script" not in raw
    words = "".join(Page(site / "trusts" / "Z000.html").text)
    assert frames.EVIL in words
    search = (site / "assets" / "search.js").read_text(encoding="utf-8")
    assert "<" not in search


def test_rejected_rows_are_shown_as_text(site):
    page = Page(site / "quality.html")
    words = "".join(page.text)
    assert f"Z000|{frames.EVIL}|=HYPERLINK(1)|abc" in words
    assert "2 rows in 1 file" in words


def test_every_figure_is_valid_json_without_a_template(pages):
    seen = 0
    for page in pages:
        for text in page.specs:
            spec = json.loads(text)
            assert "template" not in spec["layout"]
            seen += 1
    assert seen > 60


def test_ids_are_unique_on_every_page(pages):
    for page in pages:
        assert len(page.ids) == len(set(page.ids)), page.path.name


def test_headings_do_not_skip_a_level(pages):
    for page in pages:
        assert page.headings.count(1) == 1, page.path.name
        for before, after in zip(page.headings, page.headings[1:], strict=False):
            assert after <= before + 1, f"{page.path.name}: h{before} then h{after}"


def test_every_chart_stands_with_definition_source_coverage_licence_and_table(site):
    found = 0
    for path in site.glob("*.html"):
        for figure in re.findall(r"<figure.*?</figure>", path.read_text("utf-8"), re.DOTALL):
            if "chart empty" in figure:
                continue
            found += 1
            for word in ("Definition", "Source", "Coverage", "Licence", "aria-label", "<details>"):
                assert word in figure, f"{path.name}: a chart lacks {word}"
            assert "Open Government Licence v3.0" in figure
    assert found == len(CHARTS) - _empty(site)


def _empty(site: Path) -> int:
    return sum(p.read_text("utf-8").count('class="chart empty"') for p in site.glob("*.html"))


def test_the_same_tables_give_the_same_bytes(site, tmp_path):
    tables = frames.tables(12, ("2019/20", "2020/21"), names={0: frames.EVIL, 1: frames.QUOTED})
    shuffled = {k: v.sample(fraction=1, shuffle=True, seed=3) for k, v in tables.items()}
    build_site(shuffled, tmp_path)
    for path in sorted(site.rglob("*")):
        if path.is_file():
            again = tmp_path / path.relative_to(site)
            assert _hash(path) == _hash(again), path.name


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_search_knows_former_names_and_closed_trusts(site):
    text = (site / "assets" / "search.js").read_text(encoding="utf-8")
    entries = json.loads(text.removeprefix("window.FIVEPERCENT_SEARCH=").rstrip(";\n"))
    by_code = {e[0]: e for e in entries}
    assert "tarn cottage hospital" in by_code["Z001"][2]
    assert by_code["ZOLD"][3] == "Z000"
    assert by_code["ZOLD"][4].startswith("now ")


def test_csv_files_hold_raw_values_and_no_formula(site):
    with (site / "data" / "share-lollipop.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 12
    assert 0 < float(rows[0]["share"]) < 1
    frame = pl.DataFrame({"name": ["=1+1", "@x", "-1", "plain"], "pounds": [-1.5, None, 2.0, 3.0]})
    lines = csv_text(frame).splitlines()
    assert lines[1:] == ["'=1+1,-1.5", "'@x,", "-1,2.0", "plain,3.0"]


def test_json_cannot_end_its_script_element():
    text = json_text({"name": "</script><!--\u2028&"})
    assert not set("<\u2028") & set(text)
    assert json.loads(text)["name"] == "</script><!--\u2028&"


def test_a_page_says_once_what_the_texts_of_a_row_begin_with():
    texts = [["<b>A</b><br>May: 1", "<b>A</b><br>June: 2"], ["", "<b>B</b>"]]
    chart = nothing_to_show("two-traces", "Nothing")
    chart.sketch.add_heatmap(z=[[1, 2], [3, 4]], hovertext=texts, text=[["", ""], ["", ""]])
    chart.sketch.add_scatter(x=[1, 2], y=[1, 2], marker={"color": ["red", "red"], "size": [1, 2]})
    heat, marks = slim(chart)["data"]
    begun, rest = heat["rowBeginnings"], heat["hovertext"]
    assert begun[0] == "<b>A</b><br>"
    assert [[b + t for t in row] for b, row in zip(begun, rest, strict=True)] == texts
    assert "text" not in heat
    assert marks["marker"] == {"color": "red", "size": [1, 2]}


def test_columns_of_numbers_have_a_rule_in_the_style_sheet(pages, site):
    style = (site / "assets" / "site.css").read_text("utf-8")
    used = {
        name
        for page in pages
        for names in re.findall(r'<table class="([^"]*)"', page.path.read_text("utf-8"))
        for name in names.split()
    }
    assert {"n2", "n3"} <= used
    assert all(f".{n} tr>:nth-child({n[1:]})" in style for n in used if n[0] == "n")
    assert all(f".{n} td:nth-child({n[1:]})" in style for n in used if n[0] == "w")
    rows = pl.DataFrame({"a": ["x"], "b": [1]})
    table = html_table(rows, (TableColumn("a", "A"), TableColumn("b", "B", "count")))
    assert (table["heads"], table["numeric"], table["rows"]) == (["A", "B"], "n2", [["x", "1"]])


def test_files_name_their_layout_by_number_and_nothing_of_it_is_lost():
    files = frames.tables(2)["meta.source_file"]
    files = pl.concat([files, files, files])[:3].with_columns(
        pl.Series("path", ["a", "b", "c"]), pl.Series("layout", ["csv: x", None, "csv: x"])
    )
    _, written = quality_context({"meta.source_file": files})
    listed = list(csv.DictReader(written["data/source-files.csv"].splitlines()))
    layouts = list(csv.DictReader(written["data/source-layouts.csv"].splitlines()))
    assert "sha256" in files.columns
    assert "sha256" not in listed[0]  # a megabyte for the country; the database has it
    assert layouts == [{"layout": "1", "text": "csv: x", "files": "2"}]
    assert [(row["path"], row["layout"]) for row in listed] == [("a", "1"), ("b", ""), ("c", "1")]


def test_numbers_in_csv_files_keep_pennies_and_eight_digits_of_shares():
    frame = pl.DataFrame({"v": [23458812.340000004, 0.004830387659785143, -0.0, 3e-12]})
    assert csv_text(frame).split() == ["v", "23458812.34", "0.0048303877", "-0.0", "3e-12"]


def test_a_trust_with_many_files_lists_those_with_trouble_first():
    files = pl.DataFrame(
        {
            "path": [f"f{i:02}" for i in range(30)],
            "status": ["read"] * 29 + ["set aside"],
            "rows_rejected": [0] * 28 + [4, 0],
            "warnings": [None, "w", *([None] * 28)],
            "rows_kept": [10] * 30,
        }
    )
    assert trust_pages._telling_first(files)["path"].to_list()[:4] == ["f28", "f29", "f01", "f00"]
    assert trust_pages._file_counts(files) == (
        "30 files, 1 of them with warnings: 300 rows kept, 4 set aside. "
        "Files of which something was set aside come first."
    )
    few = files.tail(3)
    assert trust_pages._telling_first(few)["path"].to_list() == ["f27", "f28", "f29"]
    assert trust_pages._file_counts(few).endswith("30 rows kept, 4 set aside.")


@pytest.mark.parametrize("code", ["../../etc/passwd", "a/b", "", ".", "x" * 60, "RÄ1", "A B"])
def test_a_code_from_a_file_never_becomes_a_path(code):
    assert re.fullmatch(r"[A-Za-z0-9_-]+", page_name(code))


def test_a_trust_with_a_path_for_a_code_stays_inside_the_site(tmp_path):
    tables = frames.tables(2)
    evil = tables["marts.digital_share"].with_columns(
        pl.col("organisation_code").replace({"Z000": "../../outside"})
    )
    build_site(tables | {"marts.digital_share": evil}, tmp_path / "site")
    assert not [p for p in tmp_path.iterdir() if p.name != "site"]


def test_incomplete_years_are_marked_and_not_counted_on_the_home_page(site):
    words = " ".join("".join(Page(site / "index.html").text).split())
    assert "11 of 12 trusts known for 2020/21 can be measured" in words
    assert "1 more with incomplete data (badge C) is shown in grey and not counted" in words


def test_the_home_page_answers_the_five_questions_a_reader_comes_with(site):
    words = " ".join("".join(Page(site / "index.html").text).split())
    assert "How sure is that?Allowing for errors of measurement the share lies between" in words
    assert "Where did the money go?The largest parts of their digital payments:" in words
    assert "What cannot be known?11 of 12 trusts" in words


def test_the_most_mature_are_named_together_where_they_show_the_same_score():
    tables = frames.tables(3)
    scores = pl.DataFrame(
        {"organisation_code": ["Z000", "Z001", "Z002"], "score": [3.12, 3.08, 2.2]}
    )
    rows = (
        tables["marts.maturity"]
        .filter(pl.col("organisation_code").is_in(["Z000", "Z001", "Z002"]))
        .sort("year")
        .unique("organisation_code", keep="last")
        .drop("score")
        .join(scores, on="organisation_code")
        .with_columns(
            pl.lit("mean_of_pillars").alias("pillar"), pl.lit("Acute").alias("care_setting")
        )
    )
    tables |= {"marts.maturity": rows}
    said = minute(tables, answer(tables))[2].answer
    names = {r["organisation_code"]: r["organisation_name"] for r in rows.to_dicts()}
    both = [short_name(names[c], c) for c in ("Z000", "Z001")]
    assert f"highest of all 3: {' and '.join(sorted(both))} (3.1)" in said
    assert short_name(names["Z002"], "Z002") not in said


def test_the_place_is_named_only_where_every_counted_trust_is_in_it(tmp_path):
    def first(tables, name):
        build_site(tables, tmp_path / name)
        return " ".join("".join(Page(tmp_path / name / "index.html").text).split())

    tables = frames.tables(4)
    about = tables["dims.organisation"]
    one = about.with_columns(pl.lit("London").alias("region"))
    two = one.with_columns(
        pl.when(pl.col("organisation_code") == "Z000")
        .then(pl.lit("South West"))
        .otherwise("region")
        .alias("region")
    )
    assert "trusts in London together" in first(tables | {"dims.organisation": one}, "one")
    assert "in London together" not in first(tables | {"dims.organisation": two}, "two")


def test_the_method_page_states_the_thresholds_of_the_badges(tmp_path):
    numbers = parameter_frame(benchmark=0.05).with_columns(
        pl.when(pl.col("name") == "months_for_b").then(8.0).otherwise("value").alias("value")
    )
    build_site(frames.tables(2) | {"dims.parameter": numbers}, tmp_path)
    words = " ".join("".join(Page(tmp_path / "method.html").text).split())
    assert "8 months or more, or 12 with a capture ratio outside that range" in words
    assert "fewer than 8 months" in words


def test_the_demonstration_is_marked_on_every_page_chart_and_table(tmp_path):
    report = build_site(frames.tables(5, is_demo=True), tmp_path)
    assert report.is_demo
    for path in tmp_path.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert '<aside class="demo"' in text, path.name
        for caption in re.findall(r"<caption>(.*?)</caption>", text, re.DOTALL):
            assert caption.startswith("DEMONSTRATION"), path.name
        for figure in re.findall(r"<figure.*?</figure>", text, re.DOTALL):
            if "chart empty" not in figure:
                assert figure.count("DEMONSTRATION") >= 2, path.name


def test_a_real_site_is_not_called_a_demonstration(site):
    assert "DEMONSTRATION" not in (site / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("tables", [{}, frames.empty_tables()], ids=["no tables", "empty tables"])
def test_a_site_without_data_says_so(tables, tmp_path):
    report = build_site(tables, tmp_path)
    assert report.charts == []
    assert set(report.empty_charts) == set(CHARTS)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "do not yet allow a share of expenditure for any trust" in text
    assert "£0" not in text
    assert "0%" not in re.sub(r"width[^;\"]*", "", text).replace("5.0%", "")


def test_a_site_with_one_trust_and_nulls_is_built(tmp_path):
    tables = frames.tables(1)
    nulls = tables["marts.digital_share"].with_columns(
        pl.lit(None, pl.Float64).alias("share_lower"),
        pl.lit(None, pl.Float64).alias("share_upper"),
        pl.lit(None, pl.Float64).alias("capture_ratio"),
        pl.lit(None, pl.Int32).alias("months_present"),
        pl.lit(None, pl.String).alias("organisation_name"),
        pl.lit(None, pl.String).alias("icb_code"),
    )
    bare = tables["dims.organisation"].with_columns(
        pl.lit(None, pl.String).alias("sector"), pl.lit(None, pl.String).alias("icb_code")
    )
    report = build_site(
        tables | {"marts.digital_share": nulls, "dims.organisation": bare}, tmp_path
    )
    assert report.trusts == 1
    assert "range not known" in (tmp_path / "trusts" / "Z000.html").read_text("utf-8")


def test_a_board_that_publishes_payments_is_in_no_list_of_trusts(tmp_path):
    # it has rows of coverage, as everybody has who publishes, and no page of a trust
    tables = frames.tables(2)
    coverage = tables["marts.coverage"]
    board = coverage.filter(pl.col("organisation_code") == frames.trust_code(0)).with_columns(
        organisation_code=pl.lit("Q00"), organisation_name=pl.lit("THE BOARD OF NOWHERE")
    )
    assert board.height
    report = build_site(tables | {"marts.coverage": pl.concat([coverage, board])}, tmp_path)
    assert report.trusts == 2
    page = (tmp_path / "coverage.html").read_text("utf-8")
    assert frames.trust_name(0).split()[0] in page
    assert "Nowhere" not in page
    assert "NOWHERE" not in page


@pytest.mark.parametrize("kind", ["icb", "national"])
def test_who_publishes_and_is_no_trust_is_counted_nowhere(tmp_path, kind):
    tables = dict(frames.tables(3))
    names = [
        "marts.coverage", "marts.coverage_month", "marts.digital_share", "marts.spend_mix",
        "marts.funding_pattern", "marts.capital_revenue",
    ]  # fmt: skip
    code = pl.col("organisation_code")
    without = build_site(tables, tmp_path / "without")
    for name in names:
        rows = tables[name].filter(code == frames.trust_code(0))
        assert rows.height or name == "marts.funding_pattern", name
        other = rows.with_columns(
            organisation_code=pl.lit("X00"), organisation_name=pl.lit("THE BODY OF NOWHERE")
        )
        tables[name] = pl.concat([tables[name], other])
    own = tables["dims.organisation"].filter(code == frames.trust_code(0))
    own = own.with_columns(
        organisation_code=pl.lit("X00"), current_code=pl.lit("X00"), kind=pl.lit(kind)
    )
    tables["dims.organisation"] = pl.concat([tables["dims.organisation"], own])
    report = build_site(tables, tmp_path / "with")
    assert report.trusts == without.trusts == 3
    for page in ("index", "coverage", "definitions", "spending", "compare"):
        before, after = (
            (tmp_path / part / f"{page}.html").read_text("utf-8") for part in ("without", "with")
        )
        assert after == before, page


def test_a_third_of_england_takes_a_third_of_the_space_and_time(tmp_path):
    # 210 trusts must stay under 25 MB and a minute; the chart library (5 MB) is shipped once.
    tables = frames.tables(70, ("2018/19", "2019/20", "2020/21", "2021/22"), boards=14)
    started = time.process_time()
    report = build_site(tables, tmp_path)
    seconds = time.process_time() - started
    assert report.trusts == 70
    assert report.bytes < 5e6 + 20e6 / 3
    assert seconds < 20


def test_progress_is_told_in_sentences(tmp_path):
    said: list[str] = []
    build_site(frames.tables(1), tmp_path, progress=said.append)
    assert any("pages of trusts" in s for s in said)


def test_a_claim_cannot_smuggle_in_a_script_address(site):
    page = Page(site / "promises.html")
    assert all(not url.startswith("javascript:") for _, url in page.urls)
    assert frames.EVIL + " will be done" in "".join(page.text)


def test_the_caveat_of_a_claim_is_in_view_and_its_day_can_be_read(tmp_path):
    tables = frames.tables(1)
    claim = (
        tables["marts.milestone"]
        .head(1)
        .with_columns(
            pl.lit("Counted on another day.").alias("caveat"), pl.lit("2022-06-29").alias("said_on")
        )
    )
    build_site(tables | {"marts.milestone": claim}, tmp_path)
    page = (tmp_path / "promises.html").read_text("utf-8")
    article = page[page.index('<article class="claim">') :]
    assert "Careful: Counted on another day." in article[: article.index("<details")]
    assert "29 June 2022" in article


def test_compare_says_the_range_of_each_gap_and_each_year_s_months_once(tmp_path):
    rows = [
        share_row(0, share=0.02, definition=d, expenditure=100e6, months=11)
        for d in ("D1", "D2", "D3")
    ]
    tables = frames.tables(1) | {"marts.digital_share": frames.of("marts.digital_share", rows)}
    build_site(tables, tmp_path)
    text = (tmp_path / "assets" / "compare-data.js").read_text("utf-8")
    data = json.loads(text.removeprefix("window.FIVEPERCENT_COMPARE=").removesuffix(";\n"))
    assert [name for name in data["labels"] if "Months" in name] == [
        "Months of payments present, 2020/21"
    ]
    cells = dict(zip(data["labels"], data["trusts"]["Z000"]["cells"], strict=True))
    gaps = {name: text for name, text in cells.items() if name.startswith("Gap to 5%")}
    assert len(gaps) == 3
    low, high = (100e6 * (0.05 - rows[0][end]) for end in ("share_upper", "share_lower"))
    assert set(gaps.values()) == {f"{money(3e6)} (range {money(low)} to {money(high)})"}
    assert cells["Months of payments present, 2020/21"] == "11 of 12"


def test_a_trust_that_the_first_definition_cannot_measure_has_the_next_one_said(tmp_path):
    rows = [share_row(0), share_row(1, definition="D0", share=0.01, months=None, width=0.0)]
    shares = frames.of("marts.digital_share", rows)
    build_site(frames.tables(2) | {"marts.digital_share": shares}, tmp_path)
    words = " ".join("".join(Page(tmp_path / "trusts" / "Z001.html").text).split())
    assert "1.0% of expenditure in 2020/21 (D0: " in words
    assert "No share under D1 (" in words
    assert "No share of expenditure can be computed" not in words
    assert "1.0% to 1.0%" not in words
    words = " ".join("".join(Page(tmp_path / "trusts" / "Z000.html").text).split())
    assert "No share under D1" not in words


def test_payments_without_accounts_are_told_on_the_home_page_all_the_same(tmp_path):
    tables = frames.tables(3)
    lacking = {n: tables[n].clear() for n in ("marts.digital_share", "marts.coverage")}
    build_site(tables | lacking, tmp_path)
    words = " ".join("".join(Page(tmp_path / "index.html").text).split())
    assert "The largest parts of the digital payments of 3 trusts in 2020/21, of which no" in words
    assert "No digital payment" not in words


def test_trusts_that_a_percentage_alone_tells_apart_are_one_group(tmp_path):
    tables = frames.tables(4)
    reasons = pl.Series("reason", [f"Payments show {p}% of it." for p in (62, 99, 87, 70)])
    coverage = tables["marts.coverage"]
    coverage = coverage.filter(
        (pl.col("definition") == "D1") & (pl.col("denominator") == "opex_less_impairments")
    ).head(4)
    assert coverage.height == 4
    coverage = coverage.with_columns(reasons, pl.lit("available").alias("status"))
    build_site(tables | {"marts.coverage": coverage}, tmp_path)
    words = " ".join("".join(Page(tmp_path / "coverage.html").text).split())
    assert "4 trusts available: Payments show 62% to 99% of it." in words


def test_a_trust_of_whom_only_staff_are_known_has_a_page(tmp_path):
    tables = frames.tables(2)
    build_site({k: tables[k] for k in ("marts.workforce", "dims.organisation")}, tmp_path)
    assert (tmp_path / "trusts" / "Z001.html").exists()


@pytest.mark.parametrize(
    ("rejected", "warned", "told"),
    [
        (0, 20, ""),
        (0, 3, " Files with warnings come first."),
        (1, 3, " Files of which something was set aside come first."),
    ],
)
def test_the_order_of_files_is_told_as_it_is(rejected, warned, told):
    files = pl.DataFrame(
        {
            "path": [f"{i}.csv" for i in range(20)],
            "status": ["read"] * 20,
            "rows_kept": [5] * 20,
            "rows_rejected": [rejected, *[0] * 19],
            "warnings": ["odd" if i < warned else None for i in range(20)],
        }
    )
    assert trust_pages._file_counts(files).endswith(f"{rejected} set aside.{told}")


def test_the_range_of_a_neighbour_s_share_stands_beside_it(tmp_path):
    tables = frames.tables(3)
    build_site(tables, tmp_path)
    page = (tmp_path / "trusts" / "Z000.html").read_text("utf-8")
    part = page[page.index("Trusts that are alike") :]
    peer = tables["marts.peer"].filter(pl.col("organisation_code") == "Z000")["peer_code"][0]
    share = tables["marts.digital_share"].filter(
        (pl.col("organisation_code") == peer)
        & (pl.col("definition") == "D1")
        & (pl.col("denominator") == "opex_less_impairments")
    )
    low, high = share.select("share_lower", "share_upper").row(-1)
    assert span(low, high) in part


def test_a_trust_without_a_name_is_called_by_its_code_as_it_is_written():
    cells = frames.tables(1)["marts.coverage_month"].with_columns(
        pl.lit("Z0A").alias("organisation_code"),
        pl.lit(None, pl.String).alias("organisation_name"),
    )
    only = organisations_with_pages({"marts.coverage_month": cells})
    assert [(o.code, o.name, o.short) for o in only] == [("Z0A", "Z0A", "Z0A")]


def test_supplier_names_that_are_formulas_are_text_in_the_csv_file(site):
    text = (site / "data" / "top-suppliers.csv").read_text(encoding="utf-8")
    assert "'=Formula Ltd" in text
    assert "\n=Formula" not in text


def test_without_an_earlier_build_the_page_of_changes_says_so(site):
    words = " ".join("".join(Page(site / "changes.html").text).split())
    assert "No earlier build was in this folder" in words


def test_changes_name_the_trust_both_figures_and_the_cause(tmp_path):
    tables = frames.tables(2)
    contract = all_tables()["meta.change"].polars
    change = {
        "kind": "figure",
        "subject": "D1 over operating_expenditure",
        "organisation_code": "Z001",
        "financial_year": "2020/21",
        "change": "changed",
        "was": 0.021,
        "becomes": 0.034,
        "cause": frames.EVIL + " was published again",
        "previous_build": "b1",
    }
    name = tables["dims.organisation"].filter(pl.col("organisation_code") == "Z001")["name"][0]
    beside = change | {"subject": "D2 over operating_expenditure", "becomes": 0.021}
    build_site(tables | {"meta.change": pl.DataFrame([change, beside], schema=contract)}, tmp_path)
    page = Page(tmp_path / "changes.html")
    words = " ".join("".join(page.text).split())
    assert "Compared with build b1: 2 figures differ." in words
    moved = ("up by 1.3 points", "range, badge or pounds")
    cause = frames.EVIL + " was published again"
    for part in (short_name(name, "Z001"), "2.1%", "3.4%", cause, *moved):
        assert part in words
    assert (tmp_path / "data" / "changes.csv").exists()


def test_a_figure_that_is_gone_is_on_the_page_however_many_moved(tmp_path):
    row = {
        "kind": "figure",
        "subject": "D1 over operating_expenditure",
        "financial_year": "2020/21",
    }
    row |= {"change": "changed", "was": 0.02, "becomes": 0.03, "cause": "", "previous_build": "b1"}
    moved = [row | {"organisation_code": f"Y{n:03d}"} for n in range(MOST_ROWS)]
    gone = row | {
        "organisation_code": "Z000",
        "change": "gone",
        "becomes": None,
        "cause": "lost file",
    }
    contract = all_tables()["meta.change"].polars
    build_site(
        frames.tables(1) | {"meta.change": pl.DataFrame([*moved, gone], schema=contract)}, tmp_path
    )
    assert "lost file" in "".join(Page(tmp_path / "changes.html").text)


def test_a_check_that_still_fails_is_no_difference(tmp_path):
    row = {"kind": "check", "subject": "facts.payment: one", "change": "still failing"}
    row |= {"cause": "One. If not: two.", "previous_build": "b1"}
    changes = pl.DataFrame([row], schema=all_tables()["meta.change"].polars)
    build_site(frames.tables(1) | {"meta.change": changes}, tmp_path)
    words = " ".join("".join(Page(tmp_path / "changes.html").text).split())
    assert "Compared with build b1: nothing differs; checks that failed still fail." in words
    assert "still failing" in words
    assert "Checks that failed in the build before and still fail" in words
    assert "Checks that differ" not in words


def test_the_caption_of_checks_speaks_of_both_those_that_differ_and_those_that_do_not(tmp_path):
    row = {"kind": "check", "subject": "facts.payment: one", "cause": "", "previous_build": "b1"}
    both = [row | {"change": "still failing"}, row | {"change": "fails now"}]
    changes = pl.DataFrame(both, schema=all_tables()["meta.change"].polars)
    build_site(frames.tables(1) | {"meta.change": changes}, tmp_path)
    words = " ".join("".join(Page(tmp_path / "changes.html").text).split())
    assert "Checks that differ from the build before, and those that still fail" in words


def test_what_a_page_cannot_answer_leads_to_what_was_promised(tmp_path):
    """Staff: 10,500 posts and a plan. Only where the ledger has the theme, or the link leads nowhere."""
    tables = frames.tables(1)
    claims = tables["marts.milestone"].with_columns(pl.lit("workforce").alias("theme"))
    build_site(tables | {"marts.milestone": claims}, tmp_path)
    assert "promises.html#workforce" in [url for _, url in Page(tmp_path / "workforce.html").urls]
    assert "workforce" in Page(tmp_path / "promises.html").ids
    spending = [url for _, url in Page(tmp_path / "spending.html").urls]
    assert not [url for url in spending if url.startswith("promises.html#")]


def test_a_trust_that_closed_is_no_trust_of_the_board_today(tmp_path):
    tables = frames.tables(2, boards=1)
    register = tables["dims.organisation"]
    closed = pl.col("organisation_code") == frames.trust_code(0)
    day = pl.when(closed).then(pl.date(2022, 9, 30)).otherwise(pl.col("closed"))
    build_site(tables | {"dims.organisation": register.with_columns(day.alias("closed"))}, tmp_path)
    board = min((tmp_path / "boards").glob("*.html")).read_text()
    today = board.split("Trusts of the board today")[1]
    links = re.findall(r"trusts/(\w+)\.html", today)
    assert links == [frames.trust_code(1)]


def test_a_board_that_ended_says_so_where_its_trusts_of_today_would_stand(tmp_path):
    tables = frames.tables(2)
    ended = tables["dims.icb"].with_columns(pl.lit(dt.date(2026, 3, 31)).alias("valid_to"))
    nobody = tables["dims.organisation"].with_columns(pl.lit(None, pl.String).alias("icb_code"))
    build_site(tables | {"dims.icb": ended, "dims.organisation": nobody}, tmp_path)
    board = min((tmp_path / "boards").glob("*.html"))
    assert "None: the board has ended." in "".join(Page(board).text)


def test_downloads_link_to_what_lies_beside_the_site_and_to_nothing_else(tmp_path):
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "a & b.xlsx").write_bytes(b"x")
    (tmp_path / "fivepercent.duckdb").write_bytes(b"x")
    build_site(frames.tables(1), tmp_path / "charts")
    page = Page(tmp_path / "charts" / "downloads.html")
    up = {unquote(url) for _, url in page.urls if url.startswith("../")}
    assert up == {"../fivepercent.duckdb", "../exports/a & b.xlsx"}
    assert "a workbook for spreadsheets" in "".join(page.text)


def rebuilt(tables, folder, earlier=None):
    """Build, and say which pages are new files and which are taken over."""
    report = build_site(tables, folder, earlier=earlier)
    made = {
        p.relative_to(folder).as_posix()
        for p in folder.rglob("*.html")
        if earlier is None
        or not (earlier / p.relative_to(folder)).exists()
        or not p.samefile(earlier / p.relative_to(folder))
    }
    return report, made


def test_the_same_data_in_a_new_build_write_only_the_pages_about_the_build(tmp_path):
    tables = frames.tables(6)
    build_site(tables, tmp_path / "one")
    next_build = tables["meta.build"].with_columns(
        pl.lit("another").alias("build_id"),
        (pl.col("built_at") + pl.duration(days=1)).alias("built_at"),
    )
    report, made = rebuilt(tables | {"meta.build": next_build}, tmp_path / "two", tmp_path / "one")
    assert made == {"downloads.html"} | (made & {"promises.html"})
    assert report.kept == report.pages - len(made)
    assert "another" in (tmp_path / "two" / "downloads.html").read_text("utf-8")


def test_one_trusts_figure_rewrites_its_pages_and_those_that_list_it_only(tmp_path):
    tables = frames.tables(6, boards=3)
    build_site(tables, tmp_path / "one")
    shares = tables["marts.digital_share"]
    mine = pl.col("organisation_code") == "Z003"
    moved = shares.with_columns(
        pl.when(mine).then(pl.col("share") * 0.9).otherwise("share").alias("share")
    )
    board = shares.filter(mine)["icb_code"][0]
    report, made = rebuilt(
        tables | {"marts.digital_share": moved}, tmp_path / "two", tmp_path / "one"
    )
    assert {p for p in made if p.startswith("trusts/")} == {"trusts/Z003.html"}
    assert {p for p in made if p.startswith("boards/")} == {f"boards/{board}.html"}
    assert {"index.html", "trusts.html"} <= made
    assert not made & {"maturity.html", "method.html", "dictionary.html", "quality.html"}
    # What is kept and what is made anew together are the site that is made from nothing.
    build_site(tables | {"marts.digital_share": moved}, tmp_path / "three")
    for path in sorted((tmp_path / "three").rglob("*")):
        if path.is_file():
            again = tmp_path / "two" / path.relative_to(tmp_path / "three")
            assert path.read_bytes() == again.read_bytes(), path.name
    assert report.kept + len(made) == report.pages


@pytest.mark.parametrize("spoiled", [None, "key", "marks", "page"])
def test_where_a_neighbour_changed_the_charts_of_a_trust_are_not_drawn_again(
    tmp_path, monkeypatch, spoiled
):
    tables = frames.tables(6, boards=3)
    build_site(tables, tmp_path / "one")
    peers = tables["marts.peer"]
    mine = peers["organisation_code"][0]
    renamed = pl.when(pl.col("organisation_code") == mine).then(pl.lit("Another name"))
    later = pl.col("built_at") + pl.duration(days=40)
    moved = tables | {
        "marts.peer": peers.with_columns(renamed.otherwise("peer_name").alias("peer_name")),
        "meta.build": tables["meta.build"].with_columns(later.alias("built_at")),
    }
    page, listed = f"trusts/{mine}.html", tmp_path / "one" / "assets" / "pages.json"
    if spoiled == "key":
        known = json.loads(listed.read_text("utf-8"))
        listed.write_text(json.dumps(known | {f"{page}#charts": "0"}), encoding="utf-8")
    elif spoiled == "marks":
        path = tmp_path / "one" / page
        path.write_text(path.read_text("utf-8").replace("<!--/charts-->", ""), encoding="utf-8")
    elif spoiled == "page":
        (tmp_path / "one" / page).unlink()
    drawn = []
    draw = trust_pages._charts
    monkeypatch.setattr(trust_pages, "_charts", lambda *a: drawn.append(a[0].code) or draw(*a))
    _, made = rebuilt(moved, tmp_path / "two", tmp_path / "one")
    assert {p for p in made if p.startswith("trusts/")} == {page}
    assert drawn == ([mine] if spoiled else [])
    build_site(moved, tmp_path / "three")
    assert "uilt " in (tmp_path / "three" / page).read_text("utf-8").partition("<!--/charts-->")[0]
    for path in [tmp_path / "three" / page, *(tmp_path / "three/data/trusts" / mine).iterdir()]:
        again = tmp_path / "two" / path.relative_to(tmp_path / "three")
        assert path.read_bytes() == again.read_bytes(), path.name


def test_new_code_takes_no_page_over(tmp_path, monkeypatch):
    tables = frames.tables(2)
    build_site(tables, tmp_path / "one")
    monkeypatch.setattr("pipeline.site.earlier.code_version", lambda: "another")
    report, _ = rebuilt(tables, tmp_path / "two", tmp_path / "one")
    assert report.kept == 0


def test_a_spoiled_list_of_pages_means_that_every_page_is_made(tmp_path):
    tables = frames.tables(2)
    build_site(tables, tmp_path / "one")
    (tmp_path / "one" / "assets" / "pages.json").write_text("{", encoding="utf-8")
    report, _ = rebuilt(tables, tmp_path / "two", tmp_path / "one")
    assert report.kept == 0


def test_a_trusts_suppliers_of_its_latest_year_are_listed_as_text(tmp_path):
    row = {
        "organisation_code": "Z000",
        "place": 1,
        "lines": 3,
        "share_of_digital": 0.25,
        "is_demo": False,
    }
    rows = [
        row | {"financial_year": "2019/20", "supplier": "Old Systems", "amount_gbp": 5e6},
        row | {"financial_year": "2020/21", "supplier": frames.EVIL, "amount_gbp": 2e6},
    ]
    paid = frames.of("marts.trust_supplier", rows)
    build_site(frames.tables(2) | {"marts.trust_supplier": paid}, tmp_path)
    path = tmp_path / "trusts" / "Z000.html"
    words = "".join(Page(path).text)
    assert frames.EVIL in words
    assert frames.EVIL not in path.read_text("utf-8")
    assert "Old Systems" not in words


def test_a_closed_trust_names_the_one_it_became(tmp_path):
    tables = frames.tables(3)
    new = tables["dims.organisation"].filter(pl.col("organisation_code") == "Z001")["name"][0]
    tables |= {
        "dims.succession": pl.DataFrame(
            {"old_code": ["Z000"], "new_code": ["Z001"], "date": [dt.date(2024, 11, 1)]}
        )
    }
    build_site(tables, tmp_path)
    page = unescape((tmp_path / "trusts" / "Z000.html").read_text("utf-8"))
    assert f'<a href="../trusts/Z001.html">{short_name(new)} (Z001)</a>' in page


def test_a_trust_is_told_of_in_its_latest_year_that_counts(tmp_path):
    tables = frames.tables(years=("2019/20", "2020/21"))
    shares = tables["marts.digital_share"]
    years = sorted(shares["financial_year"].unique())
    code = frames.trust_code(0)
    own = pl.col("organisation_code") == code
    for late, told in (("C", years[-2]), ("B", years[-1])):
        badge = pl.when(own & (pl.col("financial_year") == years[-1])).then(pl.lit(late))
        counts = pl.when(own).then(pl.lit("A")).otherwise("badge")
        tables["marts.digital_share"] = shares.with_columns(badge=badge.otherwise(counts))
        build_site(tables, tmp_path / late, base_title="x")
        page = (tmp_path / late / "trusts" / f"{code}.html").read_text("utf-8")
        lead = re.findall(r'<p class="lead">([^<]*)', page)[0]
        gap = re.findall(rf'id="title-gap-{code}">([^<]*)', page)[0]
        assert (told in lead, told in gap) == (True, True), (late, lead, gap)
