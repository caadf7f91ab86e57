"""The first run's try: bounded, and clear about what is missing."""

from __future__ import annotations

import hashlib
import time
from io import StringIO

import httpx
from fetch_servers import HOST, SPEND, ToLocalServer, local_policy, server, source

from pipeline.catalogue import Catalogue, load_catalogue
from pipeline.fetch import RichProgress, fetch, try_starter_set

__all__ = ["server"]

PIN = {"sha256": hashlib.sha256(SPEND).hexdigest(), "bytes": len(SPEND)}


def two_sources() -> Catalogue:
    """Spend files that are pinned, and accounts found on a page."""
    spend = source(
        files=(
            {"path": "ABC/april.csv", "address": f"https://{HOST}/april.csv", "starter": True}
            | PIN,
            {"path": "ABC/extra.csv", "address": f"https://{HOST}/extra.csv"},
        ),
        starter={"title": "Spend files"},
    )
    accounts = source(
        id="provider_accounts",
        landing_page=f"https://{HOST}/accounts",
        links=({"address": r"accounts-.*\.csv$"},),
        starter={
            "title": "Accounts",
            "wanted": ({"what": "the accounts of 2020/21", "match": "2020-21"},),
        },
    )
    return Catalogue((accounts, spend))


def test_only_the_starter_files_are_fetched(server, tmp_path):
    server.serve("/april.csv")
    page = (
        b"<html><a href='/accounts-2019-20.csv'>a</a><a href='/accounts-2020-21.csv'>b</a></html>"
    )
    server.serve("/accounts", page, kind="text/html")
    server.serve("/accounts-2020-21.csv")
    report = try_starter_set(
        two_sources(), tmp_path, transport=ToLocalServer(server.port), policy_for=local_policy
    )
    assert report.complete, report.sentences()
    assert {one.path for one in server.requests} == {
        "/april.csv",
        "/accounts",
        "/accounts-2020-21.csv",
    }


def test_the_missing_part_is_named(server, tmp_path):
    server.serve("/april.csv")
    report = try_starter_set(
        two_sources(), tmp_path, transport=ToLocalServer(server.port), policy_for=local_policy
    )
    assert not report.complete
    said = report.sentences()
    assert "Spend files: complete" in said
    assert "Accounts: the accounts of 2020/21 is missing" in said
    assert any("404" in line for line in said)


def test_the_try_ends_in_time_when_the_server_is_silent(server, tmp_path):
    server.rules["/april.csv"] = lambda h: time.sleep(5)
    server.rules["/accounts"] = lambda h: time.sleep(5)
    began = time.monotonic()
    report = try_starter_set(
        two_sources(),
        tmp_path,
        seconds=0.7,
        transport=ToLocalServer(server.port),
        policy_for=local_policy,
    )
    assert time.monotonic() - began < 3
    assert not report.complete
    assert report.tried


def test_a_slow_page_does_not_hold_up_files_with_an_address_of_their_own(server, tmp_path):
    server.serve("/april.csv")
    server.rules["/accounts"] = lambda h: time.sleep(5)
    report = try_starter_set(
        two_sources(),
        tmp_path,
        seconds=1.0,
        transport=ToLocalServer(server.port),
        policy_for=local_policy,
    )
    assert "Spend files: complete" in report.sentences()
    assert not report.complete


def test_offline_touches_nothing(tmp_path):
    class Never(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            raise AssertionError("the network was touched")

    raw = tmp_path / "raw"
    report = try_starter_set(load_catalogue(), raw, offline=True, transport=Never())
    assert not report.tried
    assert not report.complete
    assert not raw.exists()
    assert report.sentences()[-1] == "the network was not tried (offline)"


def test_without_network_the_real_catalogue_gives_up_quickly(tmp_path):
    class Down(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("network is unreachable")

    began = time.monotonic()
    report = try_starter_set(load_catalogue(), tmp_path, transport=Down(), policy_for=local_policy)
    assert time.monotonic() - began < 5
    assert not any(part.complete for part in report.parts)
    assert len(report.sentences()) < 20  # not one line a file


def test_progress_is_shown_while_fetching(server, tmp_path):
    from rich.console import Console

    name = "ABC/[red]x[bold].csv"
    odd = source(files=({"path": name, "address": f"https://{HOST}/odd.csv"},))
    server.serve("/odd.csv", SPEND * 50)
    console = Console(file=StringIO(), force_terminal=True, width=120)
    with RichProgress(console) as progress:
        report = fetch(
            Catalogue((odd,)),
            tmp_path,
            transport=ToLocalServer(server.port),
            policy_for=local_policy,
            progress=progress,
        )
    assert report.ok
    assert "files" in console.file.getvalue()


def test_names_from_outside_are_shown_as_they_are():
    from rich.console import Console

    console = Console(file=StringIO(), force_terminal=True, width=120)
    with RichProgress(console) as progress:
        progress.expect(1)
        progress.begin("[red]x[bold].csv")
        progress.advance("[red]x[bold].csv", 500, 1000)
    assert "[red]x[bold].csv" in console.file.getvalue()
