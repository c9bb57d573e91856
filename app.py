"""The Chalice app: registers the blueprints, then what answers to the methods that no route has; nothing else."""

from chalice.app import Chalice

from chalicelib.handlers import calls, devices, edges, jobs, organisation, people, phones, schedules
from chalicelib.handlers.api import refuse_other_methods

app = Chalice(app_name="sip-gateway", configure_logs=False)
app.register_blueprint(people.blueprint)
app.register_blueprint(phones.blueprint)
app.register_blueprint(devices.blueprint)
app.register_blueprint(organisation.blueprint)
app.register_blueprint(jobs.blueprint)
app.register_blueprint(calls.blueprint)
app.register_blueprint(edges.blueprint)
app.register_blueprint(schedules.blueprint)
refuse_other_methods(app)
