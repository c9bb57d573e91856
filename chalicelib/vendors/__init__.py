"""A phone vendor is a folder of data here: vendor.toml, models.toml, templates/. The modules beside them read and render."""
