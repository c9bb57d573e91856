"""The function that the edges report to and ask."""

from chalicelib.entries.start import start
from chalicelib.handlers import edges

app = start(edges.blueprint)
