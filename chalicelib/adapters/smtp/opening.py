"""From a line's settings to a server that has greeted, is encrypted as asked, and has signed us in."""

import base64
import ssl
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace

from chalicelib.adapters.smtp.dial import HostNotAllowed, Resolver, dial, resolve_within
from chalicelib.adapters.smtp.dialogue import Dialogue, Failed, require
from chalicelib.adapters.smtp.extensions import Extensions
from chalicelib.adapters.smtp.wire import LostError, Wire
from chalicelib.domain.credentials import Credentials, as_bytes
from chalicelib.domain.delivery import Refused, Scope, Stage
from chalicelib.domain.line import Security, SmtpChannel
from chalicelib.domain.smtp_replies import reason, refusal

_READY, _OK, _GO_ON, _SIGNED_IN = 220, 250, 334, 235

# OpenSSL's verification results (x509_vfy.h) for which a person can be told more than "untrusted".
_CERTIFICATE_REASONS = {10: "certificate_expired", 62: "certificate_name_mismatch"}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds, all of them totals. RFC 5321 (4.5.3.2) asks for minutes before the dot and ten after it: short
    ones before it only cost a retry; a short ``final`` makes outcomes unknown that weren't."""

    resolve: float = 10
    connect: float = 15
    opening: float = 90  # from the greeting to the end of AUTH
    command: float = 60  # each command that nothing else bounds
    addressing: float = 40  # MAIL and RCPT together, and once more to a server that had hung up
    body: float = 55  # from DATA to the last byte before the final dot
    final: float = 90  # from the dot to the end of its reply
    goodbye: float = 5  # for NOOP, RSET and QUIT, which concern no message

    def within(self, seconds: float) -> "Timeouts":
        """The same, but a server is reached and signed in to in so many seconds, or not at all."""
        return replace(
            self,
            resolve=min(self.resolve, seconds / 4),
            connect=min(self.connect, seconds / 4),
            opening=min(self.opening, seconds / 2),
        )

    @property
    def hand_over(self) -> float:
        """The most a message can take from the go-ahead to its outcome."""
        return self.body + self.goodbye + self.final


@dataclass(frozen=True, slots=True)
class Network:
    """What every connection shares: the trusted authorities, the resolver, the time it may take."""

    tls: ssl.SSLContext
    resolver: Resolver
    timeouts: Timeouts


def trust(ca_file: str | None) -> ssl.SSLContext:
    """Certificates and names are checked, TLS 1.2 at least; ``ca_file`` (PEM) adds to the system's CAs."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


def open_dialogue(channel: SmtpChannel, password: str, network: Network) -> tuple[Dialogue, Extensions]:
    """A conversation ready for MAIL. Raises Failed; then nothing stays open."""
    wire = _connect(channel, network)
    dialogue = Dialogue(wire, network.timeouts.command)
    with ExitStack() as on_failure:
        on_failure.callback(wire.close)
        with dialogue.until(time.monotonic() + network.timeouts.opening):
            extensions = _greet(dialogue, channel, network.tls)
            _sign_in(dialogue, extensions, Credentials(channel.username, password))
        on_failure.pop_all()
    return dialogue, extensions


def _connect(channel: SmtpChannel, network: Network) -> Wire:
    times = network.timeouts
    try:
        addresses = resolve_within(network.resolver, channel.host, channel.port, times.resolve)
    except HostNotAllowed as error:
        raise _line_fault("host_not_allowed", Stage.RESOLVE) from error
    except (OSError, UnicodeError) as error:
        raise Failed(refusal(Stage.RESOLVE, None, None, "")) from error
    try:
        return Wire(dial(addresses, times.connect))
    except OSError as error:
        raise Failed(refusal(Stage.CONNECT, None, None, "")) from error


def _greet(dialogue: Dialogue, channel: SmtpChannel, tls: ssl.SSLContext) -> Extensions:
    if channel.security is Security.TLS:
        _encrypt(dialogue, channel.host, tls)
    require(Stage.BANNER, dialogue.hear(Stage.BANNER), _READY)
    extensions = _hello(dialogue)
    if channel.security is not Security.STARTTLS:
        return extensions
    if not extensions.offers("STARTTLS"):
        raise _line_fault("starttls_not_offered", Stage.TLS)
    dialogue.ask(Stage.TLS, b"STARTTLS", _READY)
    _encrypt(dialogue, channel.host, tls)
    return _hello(dialogue)  # RFC 3207, 4.2: what was announced in clear text counts for nothing


def _hello(dialogue: Dialogue) -> Extensions:
    address = dialogue.wire.local_address
    literal = f"[IPv6:{address}]" if ":" in address else f"[{address}]"  # RFC 5321, 4.1.3
    return Extensions.of(dialogue.ask(Stage.EHLO, f"EHLO {literal}".encode(), _OK))


def _encrypt(dialogue: Dialogue, host: str, tls: ssl.SSLContext) -> None:
    if dialogue.wire.has_unread:  # it came in clear text and would be read as if it were encrypted
        raise _line_fault("tls_tampered", Stage.TLS)
    try:
        dialogue.wire.start_tls(tls, host, dialogue.deadline())
    except ssl.SSLCertVerificationError as error:
        raise _line_fault(
            _CERTIFICATE_REASONS.get(error.verify_code, "certificate_untrusted"), Stage.TLS
        ) from error
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
        raise Failed(refusal(Stage.TLS, None, None, "")) from error
    except (ssl.SSLError, ValueError) as error:  # ValueError: a host that can't be in a certificate
        raise _line_fault("tls_failed", Stage.TLS) from error
    except (OSError, LostError) as error:
        raise Failed(refusal(Stage.TLS, None, None, "")) from error


def _sign_in(dialogue: Dialogue, extensions: Extensions, own: Credentials) -> None:
    """AUTH PLAIN (RFC 4616), else LOGIN; no user name means a server that needs none."""
    if not own.username:
        return
    if not extensions.auth_methods:
        raise _line_fault("auth_not_offered", Stage.AUTH)
    if "PLAIN" in extensions.auth_methods:
        dialogue.ask(Stage.AUTH, b"AUTH PLAIN " + base64.b64encode(own.plain), _SIGNED_IN, own)
    elif "LOGIN" in extensions.auth_methods:
        user, password = (base64.b64encode(as_bytes(text)) for text in (own.username, own.password))
        dialogue.ask(Stage.AUTH, b"AUTH LOGIN", _GO_ON)
        dialogue.ask(Stage.AUTH, user, _GO_ON, own)
        dialogue.ask(Stage.AUTH, password, _SIGNED_IN, own)
    else:
        raise _line_fault("auth_method_unsupported", Stage.AUTH)


def _line_fault(code: str, stage: Stage) -> Failed:
    return Failed(Refused(reason(code, stage), Scope.LINE))
