"""Chalice blueprints: parse the request, call one use case, render the answer. No decision is made here."""
