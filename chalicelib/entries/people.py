"""The function behind the pages for people."""

from chalicelib.entries.start import start
from chalicelib.handlers import people

app = start(people.blueprint)
