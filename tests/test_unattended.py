"""The refresh that nobody watches: what it leaves when all goes well, and when something does not."""

from __future__ import annotations

import datetime as dt
import json
import logging
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import polars as pl
import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr
from typer.testing import CliRunner

from pipeline.catalogue import load_catalogue
from pipeline.cli import app
from pipeline.compare import read_build
from pipeline.fetch import FetchBusyError, FetchReport, FileOutcome
from pipeline.refresh import RefreshFailedError, Summary
from pipeline.settings import Settings
from pipeline.store.lock import LockedError
from pipeline.store.publish import current_build
from pipeline.unattended import Outcome, unattended
from pipeline.unattended.alerts import Alert, raise_alert
from pipeline.unattended.bringing import bring_sources
from pipeline.unattended.digest import CheckChange, Digest, FigureChange, FileChange
from pipeline.unattended.lateness import late_now
from pipeline.unattended.shelf import Shelf
from pipeline.unattended.words import html, markdown

START = dt.datetime(2026, 12, 3, 5, tzinfo=dt.UTC)
TROUBLE = FileOutcome("dspt", "list.csv", None, "failed", "the server answered 503")


def no_fetch(*_: object, **__: object) -> FetchReport:
    return FetchReport()


@dataclass
class Clock:
    """A clock that stands still but for what it is asked to wait, or is moved on."""

    now: dt.datetime = START
    waits: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += dt.timedelta(seconds=seconds)

    def month_later(self) -> None:
        self.now += dt.timedelta(days=30)


@pytest.fixture
def built(demo_build: tuple[Settings, Summary], tmp_path: Path) -> Settings:
    """A published demonstration of its own, with its raw files."""
    shutil.copytree(demo_build[0].raw, tmp_path / "raw")
    shutil.copytree(demo_build[0].out, tmp_path / "out", symlinks=True)
    return Settings(raw=tmp_path / "raw", out=tmp_path / "out", fetch_attempts=1)


def spend_file(raw: Path) -> Path:
    return sorted((raw / "spend_over_25k").rglob("*.csv"))[0]


def run(settings: Settings, clock: Clock, fetch: Callable = no_fetch, **more: object) -> Outcome:
    return unattended(settings, fetch=fetch, now=lambda: clock.now, sleep=clock.sleep, **more)  # type: ignore[arg-type]


def test_three_months_by_themselves_one_with_a_failing_source(built: Settings) -> None:
    """Each month a publication and a digest; the failing source is told, and stops nothing."""
    clock = Clock()
    first = run(built, clock)
    assert (first.exit_code, first.digest.end, first.alert) == (0, "unchanged", None)

    def trust_publishes_less(_: object, raw: Path, **__: object) -> FetchReport:
        file = spend_file(raw)
        file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-3]))
        return FetchReport((TROUBLE,))

    clock.month_later()
    before = current_build(built.out)
    second = run(built, clock, trust_publishes_less)
    assert second.exit_code == 0
    assert second.digest.end == "published"
    assert current_build(built.out) == second.digest.build != before
    assert second.digest.troubles == ("dspt: list.csv: the server answered 503",)
    assert second.alert is not None
    assert second.alert.level == "attention"
    name = spend_file(built.raw).relative_to(built.raw).as_posix()
    assert [(f.path, f.change) for f in second.digest.files] == [(name, "revised")]
    assert second.digest.figures
    assert all(f"revised file: {name}" in f.causes for f in second.digest.figures)

    clock.month_later()
    third = run(built, clock)
    assert (third.digest.end, third.digest.files, third.alert) == ("unchanged", (), None)
    kept = Shelf(built.out, 12).folders
    assert [f.name.rpartition("-")[2] for f in kept] == ["unchanged", "published", "unchanged"]
    assert (built.out / "digests" / "latest").resolve() == kept[-1].resolve()
    for folder in kept:
        assert (folder / "digest.md").stat().st_size > 200
        assert (folder / "digest.html").stat().st_size > 1000


def test_a_failed_refresh_leaves_the_old_publication_and_says_so(
    built: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """The next digest compares with the last publication, not with the failure."""
    clock = Clock()
    run(built, clock)
    before = current_build(built.out)

    def gate(*_: object, **__: object) -> Summary:
        raise RefreshFailedError("1 blocking check(s) on marts failed:\n  - golden: far off")

    with caplog.at_level(logging.INFO):
        failed = run(built, clock, refresh=gate)
    assert failed.exit_code == 1
    assert current_build(built.out) == before
    assert failed.alert is not None
    assert failed.alert.level == "failed"
    assert failed.digest.end == "failed"
    assert failed.folder is not None
    assert "golden: far off" in (failed.folder / "digest.md").read_text()
    alerts = [r for r in caplog.records if r.getMessage().startswith("ALERT failed")]
    assert len(alerts) == 1
    assert "\n" not in alerts[0].getMessage()
    assert run(built, clock).digest.compared_with == before


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RefreshFailedError("no files below raw"), "no files below raw"),
        (LockedError("another refresh is running"), "another refresh is running"),
        (PermissionError(13, "Permission denied", "out"), "Permission denied (out)"),
    ],
)
def test_what_is_expected_is_logged_as_a_sentence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, error: Exception, said: str
) -> None:
    def refused(*_: object, **__: object) -> Summary:
        raise error

    outcome = run(Settings(raw=tmp_path, out=tmp_path / "out"), Clock(), refresh=refused)
    assert outcome.digest.failure == said
    assert [r.getMessage() for r in caplog.records if r.exc_info] == []
    assert f"the refresh failed: {said}" in [r.getMessage() for r in caplog.records]


def test_the_command_tells_a_machine_why_it_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIVEPERCENT_OFFLINE", "1")
    (tmp_path / "raw").mkdir()
    folders = ["--raw", str(tmp_path / "raw"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, ["unattended", "--json", *folders])
    told = json.loads(done.stdout)
    assert (done.exit_code, told["end"], told["alert"]) == (1, "failed", "failed")
    assert "no files below" in told["failure"]


def test_an_error_nobody_thought_of_is_told_too(
    built: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> Summary:
        raise ZeroDivisionError("division by zero")

    outcome = run(built, Clock(), refresh=broken)
    assert [r.getMessage() for r in caplog.records if r.exc_info] == ["the refresh failed"]
    assert outcome.exit_code == 1
    assert outcome.digest.failure == "division by zero"


def test_nothing_to_read_is_a_failure_and_never_the_demonstration(tmp_path: Path) -> None:
    settings = Settings(raw=tmp_path / "raw", out=tmp_path / "out")
    outcome = run(settings, Clock())
    assert outcome.exit_code == 1
    assert outcome.digest.build is None
    assert not (tmp_path / "out" / "current").exists()
    assert outcome.folder is not None


def test_only_what_failed_is_tried_again_and_the_waits_grow() -> None:
    asked: list[object] = []
    clock = Clock()

    def fetch(*_: object, sources: object, **__: object) -> FetchReport:
        asked.append(sources)
        if len(asked) == 1:
            other = FileOutcome("workforce", "a.csv", None, "fetched", "fetched")
            return FetchReport((TROUBLE, other))
        if len(asked) == 2:
            raise FetchBusyError("another fetch is writing")
        return FetchReport((TROUBLE,)) if len(asked) == 3 else FetchReport()

    settings = Settings(fetch_attempts=5, fetch_wait_seconds=60)
    brought = bring_sources(settings, load_catalogue(), sleep=clock.sleep, fetch=fetch)
    assert asked == [None, ["dspt"], None, ["dspt"]]
    assert clock.waits == [60, 120, 240]
    assert brought.troubles == {}
    assert brought.stored == 1
    assert brought.rounds == 4
    assert "dspt" in brought.looked_at


def test_a_source_that_keeps_failing_is_not_said_to_have_been_looked_at() -> None:
    settings = Settings(fetch_attempts=2, fetch_wait_seconds=0)
    brought = bring_sources(
        settings,
        load_catalogue(),
        sleep=Clock().sleep,
        fetch=lambda *_, **__: FetchReport((TROUBLE,)),
    )
    assert brought.troubles.keys() == {"dspt"}
    assert "dspt" not in brought.looked_at
    assert "workforce" in brought.looked_at


def test_twelve_digests_are_kept_and_what_a_killed_run_left_is_swept(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, 12)
    (shelf.root / ".last-abc").mkdir(parents=True)
    for day in range(15):
        shelf.put(
            Digest(
                made_at=START + dt.timedelta(days=day),
                end="unchanged",
                build="b",
                compared_with="b",
            )
        )
    assert len(shelf.folders) == 12
    assert shelf.folders[0].name.startswith("20261206")
    last = shelf.last()
    assert last is not None
    assert last.made_at == START + dt.timedelta(days=14)
    assert not (shelf.root / ".last-abc").exists()


def test_two_digests_of_one_second_are_both_kept(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, 1)
    one = shelf.put(Digest(made_at=START, end="failed", build=None, compared_with=None))
    two = shelf.put(Digest(made_at=START, end="failed", build="b", compared_with=None))
    assert one != two
    assert shelf.folders == [two]


def test_text_of_files_becomes_markup_nowhere() -> None:
    evil = "<script>alert(1)</script> [x](javascript:1) | `a`\n# head"
    digest = Digest(
        made_at=START, end="published", build="b", compared_with="a",
        failure=evil, troubles=(evil,), notes=(evil,), late=(evil,), late_all={"x": evil},
        files=(FileChange(path=evil, change="new", status=None, rows=1, pounds=2.0, reason=evil),),
        figures=(
            FigureChange(
                organisation_code=evil, organisation_name=evil, financial_year=evil, definition=evil,
                change="new", share_old=None, share_new=0.01, badge_old=None, badge_new="A", causes=(evil,),
            ),
        ),
        checks=(
            CheckChange(check=evil, change="fails", severity="warning", sentence=evil, observed=evil, failing_rows=1),
        ),
    )  # fmt: skip
    page, text = html(digest), markdown(digest)
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert "<script" not in text
    assert "[x](" not in text
    assert "\n# head" not in text
    row = next(line for line in text.splitlines() if line.startswith("| new |"))
    assert row.replace("\\|", "").count("|") == 6


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[dict]]]:
    """A server that keeps what is posted to /secret-path, and refuses everything else."""
    got: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            known = self.path == "/secret-path"
            if known:
                got.append(json.loads(body))
            self.send_response(204 if known else 403)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", got
    server.shutdown()
    server.server_close()
    thread.join()


ALERT = Alert("failed", "The refresh failed.\nBcc: x@example.org", ("golden: far off",), "b1")


def test_the_webhook_gets_the_alert_as_json(webhook: tuple[str, list[dict]]) -> None:
    address, got = webhook
    settings = Settings(alert_webhook=SecretStr(f"{address}/secret-path"))
    assert raise_alert(ALERT, settings) == []
    assert got[0]["level"] == "failed"
    assert "golden: far off" in got[0]["text"]
    assert got[0]["build"] == "b1"


@pytest.mark.parametrize("path", ["/secret-path", "/secret-refused"])
def test_no_log_line_holds_the_webhooks_address(
    webhook: tuple[str, list[dict]], path: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(alert_webhook=SecretStr(webhook[0] + path))
    with caplog.at_level(logging.DEBUG):
        undelivered = raise_alert(ALERT, settings)
    assert "secret-" not in caplog.text
    assert "secret-" not in repr(settings)
    assert undelivered == (
        [] if path == "/secret-path" else ["The alert could not be sent by webhook (HTTPStatusError, answer 403)."]
    )  # fmt: skip


class Box:
    """Keeps the mails it gets."""

    def __init__(self) -> None:
        self.got: list[tuple[list[str], str]] = []

    async def handle_DATA(self, server: object, session: object, envelope) -> str:
        self.got.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 OK"


@pytest.fixture
def mail() -> Iterator[tuple[int, Box]]:
    """A mail server on this machine: its port and its box."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    box = Box()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    yield port, box
    server.stop()


def test_the_mail_reaches_everybody_and_no_title_becomes_a_header(mail: tuple[int, Box]) -> None:
    settings = Settings(
        alert_email_to="a@example.org, b@example.org", alert_smtp_host="127.0.0.1",
        alert_smtp_port=mail[0], alert_smtp_security="none",
    )  # fmt: skip
    assert raise_alert(ALERT, settings) == []
    recipients, text = mail[1].got[0]
    assert recipients == ["a@example.org", "b@example.org"]
    assert "golden: far off" in text
    headers = text.replace("\r\n", "\n").split("\n\n")[0]
    assert not [line for line in headers.splitlines() if line.startswith("Bcc:")]


def test_a_mail_server_without_encryption_never_sees_the_password(
    mail: tuple[int, Box], caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(
        alert_email_to="a@example.org", alert_smtp_host="127.0.0.1", alert_smtp_port=mail[0],
        alert_smtp_user="me", alert_smtp_password=SecretStr("very-secret"),
    )  # fmt: skip
    undelivered = raise_alert(ALERT, settings)
    assert undelivered == ["The alert could not be sent by mail (SMTPNotSupportedError)."]
    assert mail[1].got == []
    assert "very-secret" not in caplog.text + repr(settings)


def test_late_is_what_the_calendar_promised_to_those_who_use_it(
    demo_build: tuple[Settings, Summary],
) -> None:
    from dataclasses import replace

    demo = read_build(demo_build[0].out / "current")
    catalogue = load_catalogue()
    today = dt.date(2022, 8, 1)
    assert late_now(demo, catalogue, today) == {}
    told = replace(
        demo,
        about=demo.about.with_columns(is_demo=pl.lit(value=False)),
        months=pl.DataFrame(
            {"organisation_code": ["RJ1"], "month": [dt.date(2022, 4, 1)], "is_present": [True]}
        ),
        sources=pl.DataFrame(
            {"source_id": ["workforce"], "title": [""], "latest_period": ["2015-01"]}
        ),
    )
    late = late_now(told, catalogue, today)
    assert "workforce after 2015-01" in late
    spend = [name for name in late if name.startswith("RJ1")]
    assert spend == ["RJ1 2022-05"]
    assert not [
        name for name in late_now(told, catalogue, dt.date(2022, 6, 2)) if name.startswith("RJ1")
    ]


def test_what_became_late_is_told_once(built: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    import pipeline.unattended.run as module

    late = {"a": "A is late."}
    monkeypatch.setattr(module, "late_now", lambda *_: dict(late))
    clock = Clock()
    assert run(built, clock).digest.late == ("A is late.",)
    late["b"] = "B is late."
    clock.month_later()
    second = run(built, clock).digest
    assert second.late == ("B is late.",)
    assert second.late_all == late
