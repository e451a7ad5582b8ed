"""The Chalice app: it registers the doors and does nothing else."""

from chalice import Chalice

from chalicelib.blueprints.abandoner import abandoner
from chalicelib.blueprints.api import API_BLUEPRINTS
from chalicelib.blueprints.bounce_reader import bounce_reader
from chalicelib.blueprints.checker import checker
from chalicelib.blueprints.connector import connector
from chalicelib.blueprints.dispatcher import dispatcher
from chalicelib.blueprints.events import events
from chalicelib.blueprints.exporter import exporter
from chalicelib.blueprints.importer import importer
from chalicelib.blueprints.operator import operator
from chalicelib.blueprints.preparer import preparer
from chalicelib.blueprints.remover import remover
from chalicelib.blueprints.sender import sender

app = Chalice(app_name="postline")
app.api.binary_types = []  # what is no text encodes itself, whatever a client says that it accepts
for blueprint in (
    *API_BLUEPRINTS,
    dispatcher,
    sender,
    events,
    bounce_reader,
    importer,
    preparer,
    exporter,
    connector,
    checker,
    remover,
    abandoner,
    operator,
):
    app.register_blueprint(blueprint)
