"""A contact store in which something happens between the pieces of an import."""

from collections.abc import Callable, Sequence

from chalicelib.domain.job import ImportProgress
from chalicelib.ports import NewContact
from tests.fakes.contacts import FakeContactStore
from tests.fakes.world import World


class AfterPieces(FakeContactStore):
    """The world's contacts. Each act comes once, the first after the first imported piece was stored."""

    def __init__(self, world: World, *acts: Callable[[], object]) -> None:
        super().__init__(world.campaigns, world.imports)
        self.__dict__.update(vars(world.contacts))
        self._acts = list(acts)

    def add_imported(
        self,
        account_id: str,
        campaign_id: str,
        import_id: str,
        contacts: Sequence[NewContact],
        seen: ImportProgress,
        read: ImportProgress,
    ) -> ImportProgress:
        stored = super().add_imported(account_id, campaign_id, import_id, contacts, seen, read)
        if self._acts:
            self._acts.pop(0)()
        return stored
