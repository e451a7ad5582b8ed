"""Contract of ``RepeatStore``: begun once, held by a token, nobody else's."""

import random
from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.repeat import KEPT, LARGEST, LEASE, Repeat
from tests.contract.conftest import Stores
from tests.contract.store_builders import NOON

NEW = Repeat("print", b"seed", NOON, "mine", NOON + LEASE)
ANSWER = b"sealed \x00\xff"


class TestRepeatStore:
    def test_it_is_begun_once_in_each_account(self, stores: Stores) -> None:
        assert stores.repeats.begin(stores.account, "k", NEW, NOON)
        assert not stores.repeats.begin(stores.account, "k", replace(NEW, token="other"), NOON)
        assert stores.repeats.get(stores.account, "k") == NEW
        assert stores.repeats.get(stores.stranger, "k") is None
        assert stores.repeats.begin(stores.stranger, "k", NEW, NOON)

    def test_after_a_day_its_key_is_as_good_as_new(self, stores: Stores) -> None:
        stores.repeats.begin(stores.account, "k", NEW, NOON)
        stores.repeats.settle(stores.account, "k", "mine", ANSWER)
        late = NOON + KEPT
        again = Repeat("another", b"other", late, "new", late + LEASE)
        assert not stores.repeats.begin(stores.account, "k", again, late - timedelta(seconds=1))
        assert stores.repeats.begin(stores.account, "k", again, late)
        assert stores.repeats.get(stores.account, "k") == again

    def test_it_is_settled_once_by_who_holds_it(self, stores: Stores) -> None:
        stores.repeats.begin(stores.account, "k", NEW, NOON)
        stores.repeats.settle(stores.account, "k", "other", ANSWER)
        stores.repeats.settle(stores.stranger, "k", "mine", ANSWER)
        assert stores.repeats.get(stores.account, "k") == NEW
        stores.repeats.settle(stores.account, "k", "mine", ANSWER)
        stores.repeats.settle(stores.account, "k", "mine", b"another")
        assert stores.repeats.get(stores.account, "k") == replace(NEW, done=True, answer=ANSWER)

    def test_one_of_two_takes_it_over_and_the_first_holder_settles_nothing_then(self, stores: Stores) -> None:
        stores.repeats.begin(stores.account, "k", NEW, NOON)
        ours = replace(NEW, token="ours", lease_until=NOON + 2 * LEASE, seed=b"never stored")
        assert stores.repeats.take_over(stores.account, "k", "mine", ours)
        assert not stores.repeats.take_over(stores.account, "k", "mine", replace(ours, token="third"))
        stores.repeats.settle(stores.account, "k", "mine", ANSWER)
        assert stores.repeats.get(stores.account, "k") == replace(ours, seed=NEW.seed)

    def test_what_is_done_is_not_taken_over(self, stores: Stores) -> None:
        stores.repeats.begin(stores.account, "k", NEW, NOON)
        stores.repeats.settle(stores.account, "k", "mine", None)
        assert not stores.repeats.take_over(stores.account, "k", "mine", replace(NEW, token="ours"))
        assert not stores.repeats.take_over(stores.account, "nothing", "mine", NEW)
        assert stores.repeats.get(stores.account, "k") == replace(NEW, done=True)

    def test_the_longest_answer_is_kept(self, stores: Stores) -> None:
        longest = random.Random(1).randbytes(LARGEST + 16)  # a seal makes it longer
        stores.repeats.begin(stores.account, "k", NEW, NOON)
        stores.repeats.settle(stores.account, "k", "mine", longest)
        assert stores.repeats.get(stores.account, "k") == replace(NEW, done=True, answer=longest)
