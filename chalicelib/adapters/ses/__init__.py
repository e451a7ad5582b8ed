"""Sending through the platform's SES (API v2), and the identities it verifies for everybody.

clients → sender        one call for each message, never repeated by itself
        → identities    verified, followed, given up; each tagged with the account it was begun for
"""

from chalicelib.adapters.ses.identities import SesIdentities
from chalicelib.adapters.ses.sender import SesSender

__all__ = ["SesIdentities", "SesSender"]
