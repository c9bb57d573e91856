"""How every entry starts."""

from __future__ import annotations

import gc

from chalice.app import Blueprint, Chalice

from chalicelib.wiring import gateway


def start(*blueprints: Blueprint) -> Chalice:
    """The app with these blueprints, and the process's gateway built. Raises BadSetting.

    Lambda gives a start a whole processor and a request only its share: what can be done before the first request, is.
    """
    app = Chalice(app_name="sip-gateway", configure_logs=False)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    gateway()
    gc.freeze()
    gc.enable()
    return app
