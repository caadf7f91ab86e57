"""Telling somebody that a refresh needs a person: a log line, a webhook, a mail.

The addresses and the password are secrets. They stand in no message and no log line: of an error
only its kind is told, because the texts of libraries name the address they called.

Belongs here: the ways out. Does not belong here: when to use them (``run``).
"""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Literal

from pipeline.settings import Settings

log = logging.getLogger("fivepercent.unattended")
SECONDS = 20.0
MOST_TEXT = 8000


@dataclass(frozen=True)
class Alert:
    """What a person must know.

    Attributes:
        level: ``failed`` when nothing was published, ``attention`` when it was, but not from
            everything there should be.
        title: one sentence.
        sentences: the details.
        build: the build that is published now.
        digest: where to read on.
    """

    level: Literal["failed", "attention"]
    title: str
    sentences: tuple[str, ...]
    build: str | None = None
    digest: str | None = None

    @property
    def text(self) -> str:
        """Everything as plain text."""
        lines = [self.title, "", *(f"- {s}" for s in self.sentences)]
        if self.digest:
            lines += ["", f"Digest: {self.digest}"]
        return "\n".join(lines)[:MOST_TEXT]


def raise_alert(alert: Alert, settings: Settings) -> list[str]:
    """Send an alert every way the settings know; one that fails does not stop the others.

    Returns:
        What could not be sent, in sentences without secrets.
    """
    write = log.error if alert.level == "failed" else log.warning
    write("ALERT %s: %s", alert.level, _one_line(alert))
    undelivered = []
    for way, configured, send in (
        ("webhook", settings.alert_webhook is not None, _post),
        ("mail", bool(settings.alert_email_to), _mail),
    ):
        if not configured:
            continue
        try:
            send(alert, settings)
        except Exception as error:  # a broken way out must not hide the alert itself
            undelivered.append(f"The alert could not be sent by {way} ({_kind(error)}).")
            log.error("%s", undelivered[-1])
    return undelivered


def _one_line(alert: Alert) -> str:
    told = " | ".join([alert.title, *alert.sentences])
    return " ".join(told.split())[:2000]


def _kind(error: Exception) -> str:
    """What kind of error it was; never its text."""
    code = getattr(error, "smtp_code", None) or getattr(
        getattr(error, "response", None), "status_code", None
    )
    return f"{type(error).__name__}, answer {code}" if code else type(error).__name__


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the HTTP client's log, which names addresses, from telling the webhook's."""
    names = ("httpx", "httpcore", "httpcore.connection", "httpcore.http11", "httpcore.proxy")
    loggers = [logging.getLogger(name) for name in names]
    before = [one.disabled for one in loggers]
    for one in loggers:
        one.disabled = True
    try:
        yield
    finally:
        for one, was in zip(loggers, before, strict=True):
            one.disabled = was


def _post(alert: Alert, settings: Settings) -> None:
    import httpx

    if settings.alert_webhook is None:
        return
    body = {
        "level": alert.level,
        "title": alert.title,
        "text": alert.text,  # what chat systems show
        "sentences": list(alert.sentences),
        "build": alert.build,
        "digest": alert.digest,
    }
    with _quiet():
        answer = httpx.post(
            settings.alert_webhook.get_secret_value(),
            json=body,
            timeout=SECONDS,
            follow_redirects=False,
        )
        answer.raise_for_status()


def _mail(alert: Alert, settings: Settings) -> None:
    message = EmailMessage()
    message["Subject"] = " ".join(f"fivepercent {alert.level}: {alert.title}".split())[:200]
    message["From"] = settings.alert_email_from
    message["To"] = settings.alert_email_to
    message.set_content(alert.text)
    host, port = settings.alert_smtp_host, settings.alert_smtp_port
    secure = settings.alert_smtp_security
    context = ssl.create_default_context()
    if secure == "tls":
        server = smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=SECONDS)
    with server:
        if secure == "starttls":
            server.starttls(context=context)
        if settings.alert_smtp_user and settings.alert_smtp_password:
            server.login(settings.alert_smtp_user, settings.alert_smtp_password.get_secret_value())
        server.send_message(message)
