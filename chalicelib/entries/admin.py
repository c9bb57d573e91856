"""The function of the administrators' API."""

from chalicelib.entries.start import start
from chalicelib.handlers import calls, devices, jobs, organisation
from chalicelib.handlers.api import refuse_other_methods

app = start(devices.blueprint, organisation.blueprint, jobs.blueprint, calls.blueprint)
refuse_other_methods(app)
