"""ID tokens of a user pool: one good one is read; whatever is wrong with any other, it is refused."""

import base64
import hmac
import json
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chalicelib.adapters.aws import client
from chalicelib.adapters.cognito import CognitoTokens, KeysOutOfReach
from chalicelib.errors import Unauthorized
from chalicelib.settings import SignInSettings
from local.emulator import REGION, Emulator
from tests.fakes.clock import HandClock

ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_pool"
PASSWORD = "Correct horse 1 battery!"
POOL = SignInSettings("eu-west-1_pool", "our-client", ISSUER, "https://cognito-idp.eu-west-1.amazonaws.com")


@cache
def key(name: str) -> RSAPrivateKey:
    """A key pair; the name is its id."""
    assert name
    return generate_private_key(public_exponent=65537, key_size=2048)


def key_set(*names: str) -> dict[str, Any]:
    """What the pool publishes."""
    dump = jwt.algorithms.RSAAlgorithm.to_jwk
    return {"keys": [{**dump(key(name).public_key(), as_dict=True), "kid": name} for name in names]}


def claims(**changed: object) -> dict[str, Any]:
    now = int(time.time())
    good: dict[str, Any] = {
        "sub": "a-person",
        "iss": ISSUER,
        "aud": "our-client",
        "token_use": "id",
        "iat": now,
        "exp": now + 900,
        "email": "Anna@shop.example",
        "email_verified": True,
    }
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def token(content: Mapping[str, Any], signer: str = "one", key_id: str = "one") -> str:
    return jwt.encode(dict(content), key(signer), algorithm="RS256", headers={"kid": key_id})


def encoded(part: Mapping[str, Any] | bytes) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Pool:
    """The pool's key set, and how often it was asked for."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.broken: object = None  # an error, or what stands in place of a key set
        self.asked = 0
        self.clock = HandClock()
        self.tokens = CognitoTokens(POOL, self.clock, self._fetch)

    def _fetch(self) -> dict[str, Any]:
        self.asked += 1
        if isinstance(self.broken, Exception):
            raise self.broken
        return self.broken if self.broken is not None else key_set(*self.names)  # type: ignore[return-value]


def test_a_good_token_tells_the_person_and_their_proven_address() -> None:
    person = Pool("one").tokens.read(token(claims()))
    assert person.sub == "a-person"
    assert person.address is not None
    assert (person.address.text, person.address.key) == ("Anna@shop.example", "anna@shop.example")


@pytest.mark.parametrize(
    "changed",
    [{"email_verified": False}, {"email_verified": "false"}, {"email_verified": None}, {"email": None}],
)
def test_an_address_that_nobody_proved_to_read_is_none(changed: dict[str, object]) -> None:
    person = Pool("one").tokens.read(token(claims(**changed)))
    assert (person.sub, person.address) == ("a-person", None)


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_other"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": None},
        {"token_use": "access"},
        {"token_use": "refresh"},
        {"token_use": None},
        {"exp": int(time.time()) - 10},
        {"exp": None},
        {"iat": int(time.time()) + 3_600},
        {"iat": None},
        {"nbf": int(time.time()) + 3_600},
        {"sub": None},
        {"sub": 7},
    ],
)
def test_a_token_of_another_pool_client_kind_or_time_is_refused(changed: dict[str, object]) -> None:
    pool = Pool("one")
    assert pool.tokens.read(token(claims()))
    with pytest.raises(Unauthorized):
        pool.tokens.read(token(claims(**changed)))


def test_an_access_token_is_refused() -> None:
    access = claims(token_use="access", client_id="our-client", aud=None, email=None)
    with pytest.raises(Unauthorized):
        Pool("one").tokens.read(token(access))


def test_another_key_that_says_it_is_the_pools_is_refused() -> None:
    with pytest.raises(Unauthorized):
        Pool("one").tokens.read(token(claims(), signer="forger", key_id="one"))


def test_a_token_without_a_signature_is_refused() -> None:
    body = encoded(claims())
    for algorithm in ("none", "None", "NONE", ""):
        head = encoded({"alg": algorithm, "typ": "JWT", "kid": "one"})
        for signature in ("", "AAAA"):
            with pytest.raises(Unauthorized):
                Pool("one").tokens.read(f"{head}.{body}.{signature}")


def test_the_public_key_is_no_secret_to_sign_with() -> None:
    public = key("one").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    jwk = json.dumps(key_set("one")["keys"][0]).encode()
    signed = f"{encoded({'alg': 'HS256', 'kid': 'one'})}.{encoded(claims())}"
    for secret in (public, public.strip(), jwk, b""):
        signature = encoded(hmac.digest(secret, signed.encode(), "sha256"))
        with pytest.raises(Unauthorized):
            Pool("one").tokens.read(f"{signed}.{signature}")


def test_a_key_inside_the_token_is_not_believed() -> None:
    own = key_set("forger")["keys"][0]
    for extra in (
        {"jwk": own},
        {"jku": "https://forger.example/keys.json"},
        {"x5u": "https://forger.example"},
    ):
        headers = {"kid": "one", **extra}
        forged = jwt.encode(claims(), key("forger"), algorithm="RS256", headers=headers)
        with pytest.raises(Unauthorized):
            Pool("one").tokens.read(forged)


def test_a_changed_body_is_refused() -> None:
    head, _, signature = token(claims()).split(".")
    with pytest.raises(Unauthorized):
        Pool("one").tokens.read(f"{head}.{encoded(claims(sub='another'))}.{signature}")


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "a.b", "é.é.é", "x" * 9_000, "null", "e30.e30."])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(Unauthorized):
        Pool("one").tokens.read(text)


def test_keys_are_fetched_once_and_again_when_they_are_old() -> None:
    pool = Pool("one")
    for _ in range(3):
        pool.tokens.read(token(claims()))
    assert pool.asked == 1
    pool.clock.wait(hours=6)
    pool.tokens.read(token(claims()))
    assert pool.asked == 2


def test_a_new_key_is_found_and_made_up_ones_cost_one_fetch_a_minute() -> None:
    pool = Pool("one")
    pool.tokens.read(token(claims()))
    pool.names = ("two",)
    for _ in range(5):
        with pytest.raises(Unauthorized):
            pool.tokens.read(token(claims(), signer="two", key_id="two"))
    assert pool.asked == 1
    pool.clock.wait(minutes=1)
    pool.tokens.read(token(claims(), signer="two", key_id="two"))
    for number in range(5):
        with pytest.raises(Unauthorized):
            pool.tokens.read(token(claims(), key_id=f"made-up-{number}"))
    assert pool.asked == 2
    with pytest.raises(Unauthorized):
        pool.tokens.read(token(claims()))


NO_KEYS = [OSError("no route"), {}, [], {"keys": None}, {"keys": [{"kty": "RSA", "kid": "one"}]}, "<html>"]


@pytest.mark.parametrize("broken", NO_KEYS, ids=repr)
def test_keys_out_of_reach_let_nobody_in_and_call_no_token_bad(broken: object) -> None:
    pool = Pool("one")
    pool.broken = broken
    for _ in range(5):
        with pytest.raises(KeysOutOfReach):
            pool.tokens.read(token(claims()))
    assert pool.asked == 1, "who waits for the keys doesn't wait at each token"
    pool.broken = None
    pool.clock.wait(minutes=1)
    assert pool.tokens.read(token(claims())).sub == "a-person"


@pytest.mark.parametrize("broken", NO_KEYS, ids=repr)
def test_keys_that_are_old_are_believed_while_there_are_none_newer(broken: object) -> None:
    pool = Pool("one")
    pool.tokens.read(token(claims()))
    pool.broken = broken
    pool.clock.wait(hours=7)
    for _ in range(5):
        assert pool.tokens.read(token(claims())).sub == "a-person"
        with pytest.raises(Unauthorized):
            pool.tokens.read(token(claims(), signer="forger", key_id="made-up"))
    assert pool.asked == 2
    pool.broken, pool.names = None, ("two",)
    pool.clock.wait(minutes=1)
    with pytest.raises(Unauthorized):
        pool.tokens.read(token(claims()))
    assert pool.tokens.read(token(claims(), signer="two", key_id="two")).sub == "a-person"


def test_a_token_that_a_user_pool_made_is_read_by_the_keys_that_it_publishes(cloud: Emulator) -> None:
    cognito = client("cognito-idp")
    pool = cognito.create_user_pool(
        PoolName="people", UsernameAttributes=["email"], AutoVerifiedAttributes=["email"]
    )["UserPool"]["Id"]
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    made = cognito.create_user_pool_client(UserPoolId=pool, ClientName="web", ExplicitAuthFlows=flows)
    our_client = made["UserPoolClient"]["ClientId"]
    signed_up = cognito.sign_up(ClientId=our_client, Username="Anna@shop.example", Password=PASSWORD)
    cognito.admin_confirm_sign_up(UserPoolId=pool, Username="Anna@shop.example")
    verified = [{"Name": "email_verified", "Value": "true"}]
    cognito.admin_update_user_attributes(
        UserPoolId=pool, Username=signed_up["UserSub"], UserAttributes=verified
    )
    given = {"USERNAME": "Anna@shop.example", "PASSWORD": PASSWORD}
    answer = cognito.initiate_auth(ClientId=our_client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=given)
    tokens = answer["AuthenticationResult"]

    issuer = f"https://cognito-idp.{REGION}.amazonaws.com/{pool}"
    reader = CognitoTokens(SignInSettings(pool, our_client, issuer, cloud.endpoint), HandClock())
    person = reader.read(tokens["IdToken"])
    assert person.sub == signed_up["UserSub"]
    assert person.address is not None
    assert person.address.text == "Anna@shop.example"
    with pytest.raises(Unauthorized):
        reader.read(tokens["AccessToken"])
    elsewhere = CognitoTokens(SignInSettings(pool, "another", issuer, cloud.endpoint), HandClock())
    with pytest.raises(Unauthorized):
        elsewhere.read(tokens["IdToken"])
