"""Where a download may go: catalogue hosts over https, never a private address.

Belongs here: the decision about one address, made again for every redirect.
Does not belong here: making the request (``transfer``).

A page found on the web could link to, or redirect to, a machine inside the reader's own network.
So the scheme and host are checked before a request, the addresses the host name resolves to are
checked too, and the address that was really spoken to is checked once more before the answer is
used. The only exception is the host of a mirror that the user has named: it may be this machine
or lie on the private network, since that is what mirrors are for.
"""

from __future__ import annotations

import ipaddress
import socket
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, Queue
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from pipeline.catalogue.models import Source
from pipeline.settings import holds_secret

RESOLVE_SECONDS = 5.0
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
#: All that has been given out for machines of the public internet; beside it lie old site-local
#: addresses, IPv4 in other dresses and translations that a network makes for itself.
_PUBLIC6 = ipaddress.IPv6Network("2000::/3")


class RefusedError(Exception):
    """An address the policy does not allow; the message is a sentence for people."""


def system_addresses(host: str) -> list[str]:
    """The addresses this machine's resolver gives for ``host``.

    Raises:
        OSError: the name cannot be resolved.
    """
    answers: Queue[list[str] | OSError] = Queue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            answers.put(sorted({str(one[4][0]).split("%")[0] for one in found}))
        except OSError as error:
            answers.put(error)

    # The system's resolver has no time limit of its own; a network that swallows questions would
    # hold up the first run for minutes.
    Thread(target=ask, daemon=True, name=f"resolve {host}").start()
    try:
        answer = answers.get(timeout=RESOLVE_SECONDS)
    except Empty:
        raise OSError(f"no answer about {host} in {RESOLVE_SECONDS:g} s") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def _goes_through_proxy(scheme: str, host: str) -> bool:
    proxies = urllib.request.getproxies()
    named = scheme in proxies or "all" in proxies
    return named and not urllib.request.proxy_bypass(host)


def _inner(
    machine: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address an IPv6 address stands for (mapped, translated, tunnelled), else itself."""
    if not isinstance(machine, ipaddress.IPv6Address):
        return machine
    if machine in _NAT64:
        return ipaddress.IPv4Address(int(machine) & 0xFFFFFFFF)
    tunnelled = machine.teredo[1] if machine.teredo else None
    return machine.ipv4_mapped or machine.sixtofour or tunnelled or machine


@dataclass(frozen=True)
class HostPolicy:
    """Which addresses are allowed.

    Attributes:
        hosts: lower-case host names.
        schemes: ``https`` alone, except for a mirror.
        ports: allowed besides the scheme's own.
        private: whether loopback and private network addresses are allowed.
        direct: whether no proxy is used, so that addresses are always ours to check.
        resolve: from host name to addresses; replaced in tests.
    """

    hosts: frozenset[str]
    schemes: frozenset[str] = frozenset({"https"})
    ports: frozenset[int] = frozenset()
    private: bool = False
    direct: bool = False
    resolve: Callable[[str], Sequence[str]] = system_addresses

    @classmethod
    def of_source(cls, source: Source) -> HostPolicy:
        """The hosts this source's catalogue entry names, over https."""
        return cls(hosts=source.allowed_hosts)

    @classmethod
    def of_mirror(cls, address: str) -> HostPolicy:
        """The one host of a mirror the user named.

        Plain http is allowed only where the host lies on this machine or the private network.

        Raises:
            RefusedError: the address is not an http or https address of a host, or holds a password.
        """
        if holds_secret(address):
            raise RefusedError(
                "a mirror's address with a user name, password or parameters is not used, because it would be shown"
            )
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError as error:
            raise RefusedError(f"{address} is not an address: {error}") from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RefusedError(f"{address} is neither a folder nor an http(s) address")
        policy = cls(
            hosts=frozenset({parts.hostname.lower()}),
            schemes=frozenset({parts.scheme}),
            ports=frozenset({port} if port else ()),
            private=True,
            direct=True,
        )
        if parts.scheme == "http":
            try:
                addresses = policy.resolve(parts.hostname)
            except OSError as error:
                raise RefusedError(f"the mirror's host {parts.hostname} was not found") from error
            if any(ipaddress.ip_address(one).is_global for one in addresses):
                raise RefusedError(f"a mirror on the public internet must be https: {address}")
        return policy

    def check(self, address: str) -> None:
        """Refuse an address that is not allowed.

        Raises:
            RefusedError: with the reason.
            OSError: the host name could not be resolved (worth another try).
        """
        if any(sign < " " or sign in "\\\x7f" for sign in address):
            # urlsplit drops some of them, so it would look at another address than is asked for
            raise RefusedError(
                f"{address!r} is not an address: it has control signs or a backslash"
            )
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError as error:
            raise RefusedError(f"{address} is not an address: {error}") from error
        host = (parts.hostname or "").lower()
        if parts.scheme not in self.schemes:
            raise RefusedError(f"{address} is not {' or '.join(sorted(self.schemes))}")
        if host not in self.hosts:
            raise RefusedError(
                f"{host or address} is not a host the catalogue names for this source"
            )
        if parts.username or parts.password:
            raise RefusedError(f"{host}: addresses with a user name are not used")
        default = 443 if parts.scheme == "https" else 80
        if port not in (None, default) and port not in self.ports:
            raise RefusedError(f"{host}:{port} is not the usual port")
        if not self.direct and _goes_through_proxy(parts.scheme, host):
            return
        for one in self.resolve(host):
            self.check_machine(one, host)

    def check_machine(self, machine: str, host: str) -> None:
        """Refuse a numeric address this policy does not allow to be spoken to.

        Raises:
            RefusedError: it is private, local or reserved.
        """
        numeric = _inner(ipaddress.ip_address(machine))
        given_out = numeric.version == 4 or numeric in _PUBLIC6
        if numeric.is_global and given_out and not numeric.is_multicast:
            return
        local = numeric.is_loopback or numeric.is_private
        unusable = numeric.is_link_local or numeric.is_unspecified or numeric.is_multicast
        if self.private and local and not unusable:
            return
        raise RefusedError(f"{host} leads to {numeric}, which is not a public address")

    def check_peer(self, response: Any) -> None:
        """Refuse an answer that came from a machine this policy does not allow.

        Args:
            response: an httpx response whose body has not been read.

        Raises:
            RefusedError: the connection went elsewhere than the name promised.
        """
        url = response.request.url
        if not self.direct and _goes_through_proxy(url.scheme, url.host):
            return
        stream = response.extensions.get("network_stream")
        peer = stream.get_extra_info("server_addr") if stream is not None else None
        if peer:
            self.check_machine(str(peer[0]).split("%")[0], url.host)
