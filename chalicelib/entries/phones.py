"""The function that phones ask: files, screens, uploads."""

from chalicelib.entries.start import start
from chalicelib.handlers import phones

app = start(phones.blueprint)
