"""Exports of address books and CRMs that are taken as they are, known by their headers.

Header names are those of the programs' own exporters, in their *bare* form (``file_columns.bare``): lower
case, ё as е, letters and digits only. A profile says what its columns mean beyond what everybody calls them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of export. It is recognised when at least ``enough`` of its ``marks`` are among the headers:
    those that no other program writes, so that a few columns that a person chose to export will do.

    ``uses`` maps headers to a ``file_columns.Use``; ``email_order`` names the address to prefer first.
    Rows that only go on with the row above (further requisites) have none of ``base`` filled, and are no
    contacts; that is told by more than a missing address only.
    """

    code: str
    title: str
    marks: frozenset[str] = frozenset()
    enough: int = 0
    uses: Mapping[str, str] = field(default_factory=dict)
    email_order: Sequence[str] = ()
    base: frozenset[str] = frozenset()


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _uses(**headers: str) -> dict[str, str]:
    """``use="header header"`` the other way round."""
    return {header: use for use, names in headers.items() for header in names.split()}


GENERIC = Profile("generic", "A table of contacts")

SAMPLE = Profile(
    "postline",
    "The sample contact file",
    marks=_set("email firstname lastname middlename p1 p2 p3"),
    enough=7,
)

# https://helpdesk.bitrix24.com: crm.contact.list exports; which email columns there are depends on the view,
# and the column without a kind ("E-mail") is left empty by the exporter.
_BITRIX_RU_EMAILS = ("emailдлярассылок", "рабочийemail", "частныйemail", "другойemail", "email")
_BITRIX_EN_EMAILS = ("newslettersemail", "workemail", "homeemail", "otheremail", "email")
BITRIX24_RU = Profile(
    "bitrix24_ru",
    "A Bitrix24 export in Russian",
    marks=_set(
        "контакт типконтакта частныйemail emailдлярассылок телефондлярассылок корпоративныйсайт"
        " дополнительнообисточнике экспорт кемсоздан кемизменен типкомпании названиелида реквизитроссияинн"
    ),
    enough=2,
    uses=_uses(
        email=" ".join(_BITRIX_RU_EMAILS) + " реквизитроссияemail",
        full_name="контакт",
        p1="компания названиекомпании",
        p2="должность",
        export_flag="экспорт",
        ignored="обращение id",
    ),
    email_order=_BITRIX_RU_EMAILS,
    base=frozenset(
        ("id", "имя", "фамилия", "контакт", "названиекомпании", "названиелида", *_BITRIX_RU_EMAILS)
    ),
)
BITRIX24_EN = Profile(
    "bitrix24_en",
    "A Bitrix24 export in English",
    marks=_set(
        "contacttype companytype leadname responsible homeemail newslettersemail smsmarketingphone"
        " corporatewebsite personalpage sourceinformation includedinexport"
    ),
    enough=2,
    uses=_uses(
        email=" ".join(_BITRIX_EN_EMAILS),
        full_name="contact",
        p1="company companyname",
        p2="position",
        export_flag="includedinexport",
        ignored="salutation id",
    ),
    email_order=_BITRIX_EN_EMAILS,
    base=frozenset(("id", "firstname", "lastname", "contact", "companyname", "leadname", *_BITRIX_EN_EMAILS)),
)

_AMO_EMAILS = ("рабочийemail", "личныйemail", "другойemail", "email")
_AMO_NAMES = "полноеимяконтакта полноеимя наименование"
AMOCRM_DEALS = Profile(
    "amocrm_deals",
    "An amoCRM export of deals",
    marks=_set("названиесделки бюджет датасозданиясделки этапсделки воронка компанияконтакта"),
    enough=3,
    uses=_uses(
        email=" ".join(_AMO_EMAILS),
        full_name=_AMO_NAMES,
        p1="компанияконтакта",
        p2="названиесделки",
        p3="этапсделки",
        ignored="id",
    ),
    email_order=_AMO_EMAILS,
)
AMOCRM_CONTACTS = Profile(
    "amocrm_contacts",
    "An amoCRM export of contacts",
    marks=_set(
        "полноеимяконтакта полноеимя наименование датасозданияконтакта кемсозданконтакт кемредактирован"
        " рабочийпрямойтелефон личныйemail ближайшаязадача тегконтакта примечание1 авторизменения"
    ),
    enough=2,
    uses=_uses(
        email=" ".join(_AMO_EMAILS),
        full_name=_AMO_NAMES,
        p1="названиекомпании компания название",
        p2="должность",
        kind="тип",
        ignored="id",
    ),
    email_order=_AMO_EMAILS,
)

_KOMMO_EMAILS = ("workemail", "privateemail", "personalemail", "otheremail", "email")
KOMMO = Profile(
    "kommo",
    "A Kommo export",
    marks=_set("fullname companyname privateemail workdirectphone responsibleuser tags leads closesttask"),
    enough=3,
    uses=_uses(
        email=" ".join(_KOMMO_EMAILS),
        full_name="fullname",
        p1="companyname company",
        p2="position",
        kind="type",
        ignored="id",
    ),
    email_order=_KOMMO_EMAILS,
)

_GOOGLE_EMAILS = tuple(f"email{number}value" for number in range(1, 6))
GOOGLE = Profile(
    "google_contacts",
    "A Google Contacts export",
    marks=_set(
        "email1value email1type email1label givenname additionalname familyname phoneticfirstname fileas"
        " organizationname organization1name labels groupmembership"
    ),
    enough=3,
    uses=_uses(
        email=" ".join(_GOOGLE_EMAILS),
        middle_name="additionalname",
        full_name="name",
        p1="organizationname organization1name",
        p2="organizationtitle organization1title",
    ),
    email_order=_GOOGLE_EMAILS,
)

_OUTLOOK_EMAILS = (
    *("emailaddress", "email2address", "email3address"),
    *("адресэлпочты", "адрес2элпочты", "адрес3элпочты", "адресэлпочты2", "адресэлпочты3"),
)
OUTLOOK = Profile(
    "outlook",
    "An Outlook export",
    marks=_set(
        "emailaddress emaildisplayname emailtype email2address businessstreet homestreet managersname"
        " assistantsname jobtitle адресэлпочты адрес2элпочты организация рабочийадресулица короткоеимя"
    ),
    enough=3,
    uses=_uses(
        email=" ".join(_OUTLOOK_EMAILS),
        p1="company организация",
        p2="jobtitle должность",
    ),
    email_order=_OUTLOOK_EMAILS,
)

# An export of deals has the columns of its contacts, too: it stands before them.
PROFILES = (SAMPLE, AMOCRM_DEALS, BITRIX24_RU, BITRIX24_EN, AMOCRM_CONTACTS, GOOGLE, OUTLOOK, KOMMO)


def recognise(headers: Sequence[str]) -> Profile:
    """The profile most of whose marks are among the bare headers; ``GENERIC`` when none has enough.

    Of two with as many, the one that stands first: a mark is told by one program only.
    """
    names = frozenset(headers)
    found = [profile for profile in PROFILES if len(names & profile.marks) >= profile.enough]
    return max(found, key=lambda profile: len(names & profile.marks), default=GENERIC)
