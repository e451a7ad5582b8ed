"""Sending through the customer's own SMTP server (RFC 5321, RFC 6409), the dialogue staged by hand.

``smtplib`` raises the same exception for a greeting that never came and for a connection lost after the
final dot; the first must be retried, the second never. Here the stage decides, in `domain/smtp_replies`.

    wire → dialogue → opening → connection → sender        bytes, replies, signing in, one message, warm lines
"""

from chalicelib.adapters.smtp.dial import public_only, resolve
from chalicelib.adapters.smtp.opening import Timeouts
from chalicelib.adapters.smtp.sender import SmtpSender

__all__ = ["SmtpSender", "Timeouts", "public_only", "resolve"]
