"""SES's behaviour can be told from outside, and what makes no sense is refused."""

import pytest

from local.ses_bridge import Options
from local.ses_publishing import Disorder
from local.ses_settings import SettingError, with_environment


def test_what_is_said_replaces_what_is_usual() -> None:
    usual = Options(disorder=Disorder(delay=1.0, window=5), verify_after=30.0)
    said = with_environment(usual, {"SES_DUPLICATES": "0.2", "SES_WINDOW": "40", "SES_VERIFY_AFTER": "0"})
    assert said.disorder == Disorder(delay=1.0, duplicates=0.2, window=40)
    assert (said.verify_after, said.send_rate) == (0.0, None)
    assert with_environment(usual, {"SES_SEND_RATE": "14"}).send_rate == 14.0
    assert with_environment(usual, {"SES_DELAY": ""}) == usual


@pytest.mark.parametrize("text", ["much", "-1", "1,5", "1e9", "nan"])
def test_what_is_no_number_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingError, match="SES_DELAY"):
        with_environment(Options(), {"SES_DELAY": text})
