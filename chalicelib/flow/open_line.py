"""Open a line: what is needed to send through it, or why it can't be used any more."""

from chalicelib.domain.delivery import Reason
from chalicelib.domain.line import Line, SesChannel
from chalicelib.domain.ses_errors import reason as ses_reason
from chalicelib.errors import SecretUnreadable
from chalicelib.flow.lines import PASSWORD_UNREADABLE
from chalicelib.ports import IdentityStore, SecretBox


def open_line(account_id: str, line: Line, identities: IdentityStore, secrets: SecretBox) -> str | Reason:
    """The password; empty for SES, where the identity must be the account's own."""
    if isinstance(line.channel, SesChannel):
        claim = identities.find(account_id, line.channel.identity)
        return "" if claim is not None and claim.verified else ses_reason("identity_not_yours")
    try:
        return secrets.open(account_id, line.line_id, line.password)
    except SecretUnreadable:
        return PASSWORD_UNREADABLE
