"""Landing pages: which links are taken, what they are called, what is noticed about them."""

from __future__ import annotations

import datetime as dt

import pytest
from fetch_servers import HOST, SPEND, Misbehaving, fetch_from, server, source, stored

from pipeline.catalogue import Catalogue, LinkPattern, Source, load_catalogue
from pipeline.fetch.links import (
    Link,
    file_name,
    find_files,
    find_pages,
    month_in,
    read_links,
    safe_name,
)

__all__ = ["server"]

PAGE = f"https://{HOST}/about/spend/"
ANY_TABLE = {"address": r"\.(csv|xlsx)$"}


def trust(**more: object) -> Source:
    """A source with one publisher, ABC, whose page is PAGE."""
    publisher = {
        "organisation_code": "ABC",
        "name": "Made-up Trust",
        "page": PAGE,
        "page_evidence": "made up",
        "links": (ANY_TABLE,),
    }
    return source(publishers=(publisher | more,))


def page_of(server: Misbehaving, *links: tuple[str, str]) -> None:
    """Serve a landing page with these (address, text) links."""
    anchors = "".join(f'<li><a href="{address}">{text}</a></li>' for address, text in links)
    html = f"<!doctype html><html><body><nav><a href='/'>Home</a></nav>{anchors}</body></html>"
    server.serve("/about/spend/", html.encode(), kind="text/html; charset=utf-8")


def test_files_linked_from_a_page_land_in_the_publishers_folder(server, tmp_path):
    page_of(server, ("/files/April%202020.csv", "April 2020"), ("../may-2020.csv", "May 2020"))
    server.serve("/files/April%202020.csv")
    server.serve("/about/may-2020.csv", SPEND + b"x,,,,,,,\n")
    report = fetch_from(server, tmp_path, Catalogue((trust(),)))
    assert report.ok, report.sentences()
    assert list(stored(tmp_path)) == [
        "spend_over_25k/ABC/April 2020.csv",
        "spend_over_25k/ABC/may-2020.csv",
    ]


def test_links_to_other_hosts_are_left_out_and_counted(server, tmp_path):
    page_of(server, ("https://evil.example.net/x.csv", "x"), ("/ok.csv", "ok"))
    server.serve("/ok.csv")
    report = fetch_from(server, tmp_path, Catalogue((trust(),)))
    assert list(stored(tmp_path)) == ["spend_over_25k/ABC/ok.csv"]
    assert any("1 links lead to hosts" in line for line in report.sentences())


def test_a_plain_http_link_to_the_publisher_is_asked_for_over_https(server, tmp_path):
    page_of(server, (f"http://{HOST}/ok.csv", "ok"))
    server.serve("/ok.csv")
    report = fetch_from(server, tmp_path, Catalogue((trust(),)))
    (file,) = [one for one in report.outcomes if one.kind == "file"]
    assert file.address == f"https://{HOST}/ok.csv"
    assert file.state == "fetched"


def test_a_page_without_a_fitting_link_is_a_failure_not_silence(server, tmp_path):
    page_of(server, ("/contact", "Contact us"))
    report = fetch_from(server, tmp_path, Catalogue((trust(),)))
    assert not report.ok
    assert "has the page changed?" in report.sentences()[1]


def test_a_page_that_is_no_page_is_refused(server, tmp_path):
    server.serve("/about/spend/", b"%PDF-1.7 ...", kind="text/html")
    report = fetch_from(server, tmp_path, Catalogue((trust(),)))
    assert "expected a web page, got pdf" in report.outcomes[0].sentence


def test_files_that_disappear_from_the_page_are_reported_and_kept(server, tmp_path):
    page_of(server, ("/april-2020.csv", "April 2020"), ("/may-2020.csv", "May 2020"))
    server.serve("/april-2020.csv")
    server.serve("/may-2020.csv", SPEND + b"x,,,,,,,\n")
    fetch_from(server, tmp_path, Catalogue((trust(),)))
    page_of(server, ("/may-2020.csv", "May 2020"))
    report = fetch_from(server, tmp_path, Catalogue((trust(),)))
    said = " ".join(report.sentences())
    assert "1 files no longer linked: ABC/april-2020.csv" in said
    assert "months no longer linked: 2020-04" in said
    assert "spend_over_25k/ABC/april-2020.csv" in stored(tmp_path)


def test_months_before_those_the_catalogue_asks_for_are_left(server, tmp_path):
    page_of(server, ("/march-2020.csv", "March 2020"), ("/april-2020.csv", "April 2020"))
    server.serve("/april-2020.csv")
    assert fetch_from(server, tmp_path, Catalogue((trust(),))).ok
    assert list(stored(tmp_path)) == ["spend_over_25k/ABC/april-2020.csv"]


def test_two_files_of_one_name_are_not_two_versions_of_one_file(server, tmp_path):
    page_of(server, ("/a/spend.csv", "April 2020"), ("/b/spend.csv", "May 2020"))
    server.serve("/a/spend.csv")
    server.serve("/b/spend.csv", SPEND + b"x,,,,,,,\n")
    for _ in range(2):
        report = fetch_from(server, tmp_path, Catalogue((trust(),)))
        assert report.ok
    assert len(stored(tmp_path)) == 2
    assert not any("~" in name for name in stored(tmp_path))


def test_a_file_under_a_new_address_is_the_same_file(server, tmp_path):
    page_of(server, ("/hash1/april-2020.csv", "April 2020"))
    server.serve("/hash1/april-2020.csv")
    fetch_from(server, tmp_path, Catalogue((trust(),)))
    page_of(server, ("/hash2/april-2020.csv", "April 2020"))
    server.serve("/hash2/april-2020.csv")
    report = fetch_from(server, tmp_path, Catalogue((trust(),)))
    assert report.counts() == {"unchanged": 1}
    assert list(stored(tmp_path)) == ["spend_over_25k/ABC/april-2020.csv"]


def test_a_series_page_leads_to_its_newest_editions(server, tmp_path):
    series = source(
        landing_page=f"https://{HOST}/series",
        links=(
            {
                "address": r"/series/(?P<month>[a-z]+)-(?P<year>20\d\d)$",
                "leads_to": "page",
                "at_most": 1,
            },
            {"address": r"data.*\.csv$", "save_as": "W{year}{month}.csv"},
        ),
    )
    html = (
        "<html><a href='/series/may-2020'>May</a><a href='/series/november-2020'>November</a>"
        "<a href='/series/june-2020'>June</a></html>"
    )
    server.serve("/series", html.encode(), kind="text/html")
    edition = "<html><a href='/h4sh/data-november-2020.csv'>Data, November 2020 (csv)</a></html>"
    server.serve("/series/november-2020", edition.encode(), kind="text/html")
    server.serve("/h4sh/data-november-2020.csv")
    report = fetch_from(server, tmp_path, Catalogue((series,)))
    assert report.ok, report.sentences()
    assert list(stored(tmp_path)) == ["spend_over_25k/W202011.csv"]
    assert not server.asked("/series/may-2020")


def test_a_copy_is_taken_only_while_the_page_fails_and_nothing_is_here(server, tmp_path):
    spare = {
        "path": "results.csv",
        "address": f"https://{HOST}/copy.csv",
        "fallback": True,
    }
    both = source(
        landing_page=f"https://{HOST}/results",
        links=({"address": r"/results-.*\.csv$", "save_as": "results.csv"},),
        files=(spare,),
    )
    server.serve("/copy.csv")
    newer = SPEND + b"newer,,,,,,,\n"
    report = fetch_from(server, tmp_path, Catalogue((both,)))
    assert stored(tmp_path) == {"spend_over_25k/results.csv": SPEND}
    assert not report.ok  # the page itself failed, and that is said
    server.serve("/results", b"<html><a href='/results-1.csv'>csv</a></html>", kind="text/html")
    server.serve("/results-1.csv", newer)
    fetch_from(server, tmp_path, Catalogue((both,)))
    assert newer in stored(tmp_path).values()
    del server.rules["/results"]
    fetch_from(server, tmp_path, Catalogue((both,)))
    assert len(stored(tmp_path)) == 2  # the older copy did not come back as the latest


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("Spend over 25k April 2020", dt.date(2020, 4, 1)),
        ("spend-25k-apr-20.csv", dt.date(2020, 4, 1)),
        ("over_25k_sept2021", dt.date(2021, 9, 1)),
        ("2020-04 payments", dt.date(2020, 4, 1)),
        ("Payments 04/2020", dt.date(2020, 4, 1)),
        ("2019 December", dt.date(2019, 12, 1)),
        ("Febuary 2021", dt.date(2021, 2, 1)),
        ("Maybe 25k", None),
        ("Accounts 2020-21", None),
        ("Spend 2010-11", None),
        ("Marchmont 20", None),
        ("spend over 25000", None),
    ],
)
def test_the_month_is_read_from_names_as_publishers_write_them(text, month):
    assert month_in(text) == month


@pytest.mark.parametrize(
    ("address", "text", "name"),
    [
        ("https://x/a/b%20c.csv", "", "b c.csv"),
        ("https://x/download.cfm?doc=docm93jijm4n.csv&ver=2", "April", "docm93jijm4n.csv"),
        ("https://x/download/123", "April 2020 [csv, 12kb]", "April 2020.csv"),
        ("https://x/%2e%2e%2f%2e%2e%2fetc%2fpasswd.csv", "", "passwd.csv"),
        ("https://x/..%5c..%5cwindows.csv", "", "windows.csv"),
        ("https://x/.hidden.csv", "", "hidden.csv"),
        ("https://x/spend~20200101T000000Z.csv", "", "spend-20200101T000000Z.csv"),
        ("https://x/con.csv", "", None),
        ("https://x/page.html", "Read more", None),
        ("https://x/report.pdf", "Annual report", None),
    ],
)
def test_a_link_cannot_choose_a_dangerous_name(address, text, name):
    assert file_name(Link(address, text), ("csv", "xlsx")) == name


def test_a_very_long_name_is_shortened_and_keeps_its_ending():
    name = safe_name("x" * 500 + ".csv")
    assert name is not None
    assert len(name) <= 150
    assert name.endswith(".csv")


def test_broken_html_still_gives_its_links():
    html = (
        "<a href=one.csv>One<p><a href='two.csv'>Two</b></a><a href='javascript:x()'>No</a><a href="
    )
    links = read_links(html, PAGE)
    assert [link.address for link in links] == [f"{PAGE}one.csv", f"{PAGE}two.csv"]
    assert links[0].text == "One"


def test_a_base_element_is_respected():
    html = "<base href='https://files.example.org/other/'><a href='x.csv'>x</a>"
    assert read_links(html, PAGE)[0].address == f"https://{HOST}/other/x.csv"


@pytest.mark.parametrize(
    ("source_id", "address", "text", "name", "month"),
    [
        (
            "provider_accounts",
            "https://www.england.nhs.uk/wp-content/uploads/2025/01/"
            "TAC-data-published-in-NHS-trusts-accounts-for-2023-24.xlsx",
            "NHS trusts 2023/24",
            "TAC-data-published-in-NHS-trusts-accounts-for-2023-24.xlsx",
            None,
        ),
        (
            "workforce",
            "https://files.digital.nhs.uk/F3/E08EF7/NHS%20HCHS%20Workforce%20Statistics%2C%20Trusts"
            "%20and%20core%20organisations%20-%20CSV%20data%20files%2C%20October%202025.zip",
            "",
            "NHS HCHS Workforce Statistics, Trusts and core organisations - CSV data files, "
            "October 2025.zip",
            dt.date(2025, 10, 1),
        ),
        (
            "spend_over_25k",
            "https://assets.publishing.service.gov.uk/media/6613b9ac2138738e3b031b25/"
            "DHSC-spend-over-25000-January-2024.csv",
            "",
            "DHSC-spend-over-25000-January-2024.csv",
            dt.date(2024, 1, 1),
        ),
    ],
)
def test_the_catalogues_patterns_take_addresses_that_publishers_use(
    source_id, address, text, name, month
):
    entry = load_catalogue().source(source_id)
    (found,) = find_files([Link(address, text)], entry.links, entry.formats)
    assert (found.name, found.month) == (name, month)


def test_the_workforce_series_leads_to_its_editions():
    entry = load_catalogue().source("workforce")
    series = entry.landing_page
    links = [Link(f"{series}/{one}", "") for one in ("august-2025", "october-2025", "about")]
    links.append(Link(f"{series}/september-2025", ""))
    assert find_pages(links, entry.links) == [
        f"{series}/october-2025",
        f"{series}/september-2025",
    ]


def test_excluded_links_are_not_taken():
    pattern = LinkPattern(address=r"\.csv$", exclude="gender")
    links = [Link("https://x/gender-pay.csv", ""), Link("https://x/spend.csv", "")]
    assert [one.name for one in find_files(links, (pattern,), ("csv",))] == ["spend.csv"]
