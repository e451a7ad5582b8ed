"""The HTTP API: one module per kind of thing, each route declared with its models."""

from chalicelib.blueprints.api.accounts import accounts
from chalicelib.blueprints.api.advice import advice
from chalicelib.blueprints.api.attachments import attachments
from chalicelib.blueprints.api.audit import audit
from chalicelib.blueprints.api.bounce_mailboxes import bounce_mailboxes
from chalicelib.blueprints.api.bounces import bounces
from chalicelib.blueprints.api.campaigns import campaigns
from chalicelib.blueprints.api.contacts import contacts
from chalicelib.blueprints.api.description import description
from chalicelib.blueprints.api.dialogs import dialogs
from chalicelib.blueprints.api.domains import domains
from chalicelib.blueprints.api.exports import exports
from chalicelib.blueprints.api.imports import imports
from chalicelib.blueprints.api.lines import lines
from chalicelib.blueprints.api.links import links
from chalicelib.blueprints.api.members import members
from chalicelib.blueprints.api.personal_data import personal_data
from chalicelib.blueprints.api.preflights import preflights
from chalicelib.blueprints.api.previews import previews
from chalicelib.blueprints.api.samples import samples
from chalicelib.blueprints.api.sign_in import sign_in
from chalicelib.blueprints.api.suppressions import suppressions
from chalicelib.blueprints.authorizer import authorization

API_BLUEPRINTS = (
    authorization,
    description,
    sign_in,
    accounts,
    members,
    lines,
    bounce_mailboxes,
    advice,
    domains,
    dialogs,
    campaigns,
    attachments,
    contacts,
    previews,
    samples,
    imports,
    preflights,
    exports,
    suppressions,
    personal_data,
    audit,
    bounces,
    links,
)
