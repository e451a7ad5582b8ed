"""A person with a browser: speaks with the user pool as Cognito documents it, and then with our API.

https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/Welcome.html
"""

import json
import urllib.request
from typing import Any, Self

from local.stack import Stack
from tests.stack.api import Answer, Api, exchange

SIGN_UP_CODE, RESET_CODE = "123456", "654321"
"""What the emulator always "mails"; AWS mails codes of chance."""


class Person:
    """Somebody with an address and a password. ``api`` is the API as they may use it now."""

    api: Api

    def __init__(self, stack: Stack, email: str) -> None:
        self.email = email
        self.password = "correct horse battery"
        self._url = stack.api_url
        self._pool = Api(stack.api_url, None).get("/sign-in")
        self._refresh_token = ""

    @classmethod
    def new(cls, stack: Stack, email: str) -> Self:
        """Sign up, confirm the address, sign in."""
        person = cls(stack, email)
        person.sign_up()
        person.confirm()
        person.sign_in()
        return person

    def sign_up(self) -> None:
        """Ask for a sign-in; Cognito mails a code."""
        attributes = [{"Name": "email", "Value": self.email}]
        self._good("SignUp", Username=self.email, Password=self.password, UserAttributes=attributes)

    def confirm(self) -> None:
        """Prove to read the address."""
        self._good("ConfirmSignUp", Username=self.email, ConfirmationCode=SIGN_UP_CODE)

    def sign_in(self) -> None:
        """Get new tokens for the password."""
        answer = self.ask("InitiateAuth", **self.by_password)
        assert answer.status == 200, answer
        self._take(answer.body["AuthenticationResult"])
        self._refresh_token = answer.body["AuthenticationResult"]["RefreshToken"]

    @property
    def by_password(self) -> dict[str, Any]:
        """What a sign-in by password sends."""
        parameters = {"USERNAME": self.email, "PASSWORD": self.password}
        return {"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters}

    def refresh(self) -> None:
        """Get a new token without the password; it is judged anew, whatever the gateway remembers."""
        parameters = {"REFRESH_TOKEN": self._refresh_token}
        found = self._good("InitiateAuth", AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=parameters)
        self._take(found["AuthenticationResult"])

    def forget_password(self, new: str) -> None:
        """Have a code mailed and set another password with it."""
        self._good("ForgotPassword", Username=self.email)
        self._good("ConfirmForgotPassword", Username=self.email, ConfirmationCode=RESET_CODE, Password=new)

    def ask(self, action: str, **body: object) -> Answer:
        """One call of the user pool's API, unsigned."""
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"AWSCognitoIdentityProviderService.{action}",
        }
        content = json.dumps({"ClientId": self._pool["client_id"], **body}).encode()
        return exchange(urllib.request.Request(self._pool["endpoint"], content, headers, method="POST"))

    def _good(self, action: str, **body: object) -> Any:
        answer = self.ask(action, **body)
        assert answer.status == 200, answer
        return answer.body

    def _take(self, tokens: dict[str, str]) -> None:
        self.access_token = tokens["AccessToken"]
        self.id_token = tokens["IdToken"]
        self.api = Api(self._url, self.id_token)
