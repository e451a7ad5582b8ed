"""Reads the ID tokens of an Amazon Cognito user pool.

https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
"""

import json
import urllib.request
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import jwt

from chalicelib.domain.address import Rejection, parse_address
from chalicelib.domain.member import Person
from chalicelib.errors import Unauthorized
from chalicelib.observability import log
from chalicelib.ports import Clock
from chalicelib.settings import SignInSettings

_ALGORITHM = "RS256"  # the one that Cognito signs with; what a token's header says decides nothing
_CLAIMS = ["sub", "iss", "aud", "exp", "iat", "token_use"]
_CLOCKS_DIFFER = 5  # seconds that ours and Cognito's may be apart
_AGAIN = timedelta(minutes=1)  # how soon the keys are fetched once more, whether or not that went well
_KEPT = timedelta(hours=6)  # how long fetched keys are believed
_TIMEOUT = 5  # seconds
_MOST = 65_536  # bytes of a key set that are read

Fetch = Callable[[], Mapping[str, Any]]


class KeysOutOfReach(Exception):
    """The pool's keys can't be had: nobody can say whether a token is good."""


class CognitoTokens:
    """Tells who signed in; one for each process, which keeps the pool's public keys."""

    def __init__(self, pool: SignInSettings, clock: Clock, fetch: Fetch | None = None) -> None:
        """``fetch`` gets the key set (RFC 7517, 5) and is for tests; by itself it comes from the pool."""
        self._pool = pool
        self._keys = _Keys(fetch or _fetch_from(f"{pool.endpoint}/{pool.pool}/.well-known/jwks.json"), clock)

    def read(self, token: str) -> Person:
        """Who signed in; raises Unauthorized for everything but a valid ID token of our own client.

        Raises KeysOutOfReach when that can't be said.
        """
        try:
            key = self._keys.find(str(jwt.get_unverified_header(token).get("kid")))
            claims = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=self._pool.client,
                issuer=self._pool.issuer,
                leeway=_CLOCKS_DIFFER,
                options={"require": _CLAIMS},
            )
        except jwt.PyJWTError as error:
            raise _refused() from error
        if claims["token_use"] != "id":  # noqa: S105  (no password but the kind of token)
            raise _refused()
        return _person(claims)


class _Keys:
    """The pool's public keys. Whoever makes up key ids makes us fetch at most once in ``_AGAIN``.

    What was fetched goes on being believed while there is nothing newer to be had.
    """

    def __init__(self, fetch: Fetch, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._found: dict[str, jwt.PyJWK] = {}
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None

    def find(self, key_id: str) -> jwt.PyJWK:
        """A key by its id; raises Unauthorized, or KeysOutOfReach when none were ever fetched."""
        wanting = key_id not in self._found or self._is_past(self._fetched_at, _KEPT)
        if wanting and self._is_past(self._tried_at, _AGAIN):
            self._fetch_anew()
        if self._fetched_at is None:
            raise KeysOutOfReach
        if key_id not in self._found:
            raise _refused()
        return self._found[key_id]

    def _is_past(self, since: datetime | None, after: timedelta) -> bool:
        return since is None or self._clock.now() >= since + after

    def _fetch_anew(self) -> None:
        self._tried_at = self._clock.now()
        try:
            keys = [key for key in self._fetch()["keys"] if key.get("kty") == "RSA"]
            self._found = {key["kid"]: jwt.PyJWK(key, algorithm=_ALGORITHM) for key in keys}
        except Exception as error:  # noqa: BLE001  (whatever came back, it is no key set)
            log("keys_out_of_reach", error=error)
        else:
            self._fetched_at = self._tried_at


def _fetch_from(url: str) -> Fetch:
    def fetch() -> Mapping[str, Any]:
        # The address is the deployment's own; nothing of a token is in it.
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:  # noqa: S310
            found: Mapping[str, Any] = json.loads(answer.read(_MOST))
        return found

    return fetch


def _person(claims: Mapping[str, Any]) -> Person:
    """An address counts only when Cognito says that the person proved to read it."""
    address = parse_address(str(claims.get("email", "")))
    if isinstance(address, Rejection) or claims.get("email_verified") is not True:
        return Person(claims["sub"], None)
    return Person(claims["sub"], address)


def _refused() -> Unauthorized:
    return Unauthorized("This sign-in is not valid or is over. Refresh it, or sign in again.")
