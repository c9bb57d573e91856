"""The pages of the development identity provider. Plain HTML that works without JavaScript and with a screen reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from local.identity_provider.accounts import DEVELOPMENT_TENANT, Person

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --edge: #8a94a3; --hint: #535c68; --warn: #fff4ce; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #eceff4; --paper: #171a1f; --edge: #7d8796; --hint: #b4bcc8; --warn: #4a3d0d; }
}
* { box-sizing: border-box; }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
main { max-width: 28rem; margin: 0 auto; padding: 1.5rem 1rem; }
.note { background: var(--warn); padding: .5rem .75rem; border-radius: .4rem; }
button, input { font: inherit; width: 100%; min-height: 2.75rem; padding: .4rem .75rem; border: 1px solid var(--edge);
  border-radius: .4rem; background: transparent; color: inherit; text-align: left; }
button { cursor: pointer; }
button small { display: block; color: var(--hint); }
:focus-visible { outline: 3px solid #2f6feb; outline-offset: 2px; }
ul { list-style: none; padding: 0; display: grid; gap: .5rem; }
label { display: block; margin-top: 1rem; font-weight: 600; }
.hint { color: var(--hint); font-size: .9rem; margin: .1rem 0 .3rem; }
form > button { margin-top: .75rem; text-align: center; }
"""


def _page(title: str, content: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · development sign-in</title><style>{_STYLE}</style></head><body><main>"
        '<p class="note"><strong>Development sign-in.</strong> This is not Microsoft: nobody is asked for a password here.</p>'
        f"<h1>{escape(title)}</h1>{content}</main></body></html>"
    )


def _hidden(fields: Mapping[str, str]) -> str:
    return "".join(f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items())


def _people_buttons(people: Iterable[Person]) -> str:
    return "".join(
        f'<li><button name="login_user" value="{escape(person.upn)}">{escape(person.name)}'
        f"<small>{escape(person.upn)}{' · administrator' if person.roles else ''}</small></button></li>"
        for person in people
    )


def sign_in_page(people: Iterable[Person], fields: Mapping[str, str], application: str, *, choose_tenant: bool) -> str:
    """Who are you? One button per person, a field for anybody else, and a way to cancel."""
    tenant = (
        '<label for="tenant">Tenant id</label><p class="hint" id="tenant-hint">Empty: the development tenant, '
        f'{DEVELOPMENT_TENANT}</p><input id="tenant" name="login_tenant" aria-describedby="tenant-hint" autocomplete="off">'
        if choose_tenant
        else ""
    )
    hint = escape(fields.get("login_hint", ""))
    return _page(
        "Who is signing in?",
        f"<p>To continue to <strong>{escape(application)}</strong></p>"
        f'<form method="post">{_hidden(fields)}<ul>{_people_buttons(people)}</ul></form>'
        f'<form method="post">{_hidden(fields)}<label for="other">Somebody else</label>'
        '<p class="hint" id="other-hint">Any user name, such as carla@example.com</p>'
        f'<input id="other" name="login_user" type="email" required value="{hint}"'
        ' aria-describedby="other-hint" autocomplete="off">'
        f'{tenant}<button>Sign in</button></form><form method="post">{_hidden(fields)}'
        '<button name="cancel" value="yes">Cancel</button></form>',
    )


def go_back_page(redirect_uri: str, parameters: Mapping[str, str], script_nonce: str) -> str:
    """OAuth 2.0 Form Post Response Mode: posts the answer to the application; a button does it where scripts are off."""
    return _page(
        "Signed in",
        f'<form method="post" action="{escape(redirect_uri)}">{_hidden(parameters)}<button>Continue</button></form>'
        f'<script nonce="{script_nonce}">document.forms[0].submit()</script>',
    )


def device_page(people: Iterable[Person], user_code: str = "", problem: str = "") -> str:
    """RFC 8628's verification page: the code and who approves it."""
    described = ' aria-describedby="problem" aria-invalid="true"' if problem else ""
    alert = f'<p id="problem" role="alert"><strong>{escape(problem)}</strong></p>' if problem else ""
    return _page(
        "Sign in on another device",
        f'{alert}<form method="post"><label for="code">Code shown there</label>'
        f'<input id="code" name="user_code" required value="{escape(user_code)}" autocomplete="off"{described}>'
        f'<p>Approve as</p><ul>{_people_buttons(people)}</ul><button name="cancel" value="yes">Refuse</button></form>',
    )


def message_page(title: str, text: str) -> str:
    """One sentence."""
    return _page(title, f"<p>{escape(text)}</p>")


def home_page(people: Iterable[Person]) -> str:
    """What this is, for somebody who opens its address."""
    rows = "".join(f"<li>{escape(person.name)}, {escape(person.upn)}</li>" for person in people)
    return _page("SIP Gateway", f"<p>These people exist here; any other user name works too.</p><ul>{rows}</ul>")
