"""The report's split by the options of custom variables: who got which, and what became of those who did.

An option is drawn again from campaign and contact, out of the content version that the contact was sent: that
version never changes, so the report says what the message said.
"""

from collections import Counter
from collections.abc import Iterator

from chalicelib.domain.campaign import Campaign
from chalicelib.domain.contact import Contact, ContactStatus
from chalicelib.domain.custom_variables import CustomVariable, draw_for
from chalicelib.domain.personalization import folded
from chalicelib.ports import CampaignStore, ReportWriter

_GOT = (ContactStatus.SENT, ContactStatus.DELIVERED, ContactStatus.OPENED, ContactStatus.ERROR)

Key = tuple[str, int, str]
"""A variable's folded name, the number of an option from 1, and its text as it was typed."""


class OptionSplit:
    """The columns of one report, and what is counted while its rows are written."""

    def __init__(self, account_id: str, campaign: Campaign, campaigns: CampaignStore) -> None:
        """Reads the variables of all content versions; raises NotFound when the campaign is being removed."""
        self._account_id = account_id
        self._campaign_id = campaign.campaign_id
        self._campaigns = campaigns
        self._versions: dict[int, tuple[CustomVariable, ...]] = {}
        self._names: dict[str, str] = {}
        for version in range(campaign.content_version, 0, -1):
            for variable in self._variables(version):
                self._names.setdefault(folded(variable.name), variable.name)
        self._counts: dict[Key, Counter[ContactStatus]] = {
            (folded(variable.name), number, option): Counter()
            for variable in self._variables(campaign.content_version)
            for number, option in enumerate(variable.options, start=1)
        }

    @property
    def header(self) -> tuple[str, ...]:
        """A column for each variable that any version has or had."""
        return tuple(f"Option of {name}" for name in self._names.values())

    def note(self, contact: Contact) -> tuple[str | None, ...]:
        """The contact's cells under the header, which are counted by its status."""
        got = {key[0]: key for key in self._drawn(contact) if key[0] in self._names}
        for key in got.values():
            self._counts.setdefault(key, Counter())[contact.status] += 1
        return tuple(_shown(got[name]) if name in got else None for name in self._names)

    def write(self, workbook: ReportWriter) -> None:
        """The counts, as rows of the current sheet; none without variables."""
        if not self._names:
            return
        workbook.append(())
        workbook.append(("Variable", "Option", *(status.capitalize() for status in _GOT)))
        places = {name: place for place, name in enumerate(self._names)}
        for key in sorted(self._counts, key=lambda key: (places[key[0]], *key[1:])):
            counts = self._counts[key]
            workbook.append((self._names[key[0]], _shown(key), *(counts[status] for status in _GOT)))

    def _drawn(self, contact: Contact) -> Iterator[Key]:
        """The options in what was handed over; to who is on the suppression list, nothing was."""
        if contact.content_version is None or contact.status not in _GOT or contact.suppressed:
            return
        draw = draw_for(self._campaign_id, contact.contact_id)
        for variable in self._variables(contact.content_version):
            name = folded(variable.name)
            place = draw(name, len(variable.options))
            yield name, place + 1, variable.options[place]

    def _variables(self, version: int) -> tuple[CustomVariable, ...]:
        if version not in self._versions:
            content = self._campaigns.content(self._account_id, self._campaign_id, version)
            self._versions[version] = content.variables
        return self._versions[version]


def _shown(key: Key) -> str:
    return f"{key[1]}: {key[2]}"
