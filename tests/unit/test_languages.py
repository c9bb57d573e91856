"""The catalogues hold, their check finds every fault, and phones and pages speak the language that they should."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import chalicelib.adapters.entra.web_sign_in  # noqa: F401 - its errors are among those that pages show
from chalicelib.domain.errors import GatewayError, PairingCodeWrong
from chalicelib.handlers.page import FOLDER, LANGUAGE_NAMES, page_language, render_page
from chalicelib.vendors.texts import translator
from local import catalogues
from local.catalogues import LANGUAGES, ROOT, collect_texts, find_problems, po_path, update_catalogues
from tests.gateway import World

SAME_AS_ENGLISH = {("de", "Name")}
PHONE = SimpleNamespace(
    vendor="Yealink", model="T46S", mac_ending="3456", location="Room 7", display_name="Anna Berg", number="+4989123401"
)
CODE_PAGE = {"name": "Anna Berg", "upn": "anna@example.com", "form_token": "token", "locked": False}
PAGES: dict[str, dict[str, Any]] = {
    "sign_in.html.j2": {},
    "code.html.j2": {**CODE_PAGE, "refusal": PairingCodeWrong("Wrong code. Check the code and dial again.")},
    "confirm.html.j2": {"phone": PHONE, "form_token": "token"},
    "done.html.j2": {"phone": PHONE},
    "error.html.j2": {
        "error": PairingCodeWrong("Wrong code. Check the code and dial again."),
        "again": True,
        "form_token": "token",
        "request_id": "request-1",
    },
}
VALUES = {*LANGUAGE_NAMES.values(), *vars(PHONE).values(), "Yealink T46S", "(anna@example.com).", "BCDF-GHJK"}


class ShownTexts(HTMLParser):
    """What a person reads, or hears from a screen reader."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        self.texts += [value for name, value in attrs if value and name in {"aria-label", "placeholder", "title", "alt"}]

    def handle_endtag(self, tag: str) -> None:
        self._in_style = self._in_style and tag != "style"

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._in_style:
            self.texts.append(" ".join(data.split()))


def texts_of(language: str, template: str, **values: Any) -> list[str]:
    shown = ShownTexts()
    shown.feed(render_page(page_language(language, ""), template, **values))
    return shown.texts


def all_errors(root: type[GatewayError] = GatewayError) -> Iterator[type[GatewayError]]:
    if root.__module__.startswith("chalicelib."):
        yield root
    for kind in root.__subclasses__():
        yield from all_errors(kind)


# --- catalogues --------------------------------------------------------------------------------------------------------


def test_the_catalogues_hold() -> None:
    assert [] == find_problems()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_the_english_text(language: str) -> None:
    texts = [str(message.id) for message in collect_texts() if message.id]
    assert [] == [text for text in texts if translator(language)(text) == text and (language, text) not in SAME_AS_ENGLISH]


def test_soft_keys_and_reasons_are_marked() -> None:
    notes = {str(message.id): list(message.auto_comments) for message in collect_texts()}
    for key in ("Sign in", "Sign out", "Back", "Refresh", "Exit"):
        assert catalogues.SOFT_KEY in notes[key]
    for reason in ("Wrong code", "Phone enrolled", "Unknown feature code"):
        assert catalogues.REASON in notes[reason]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the catalogues depend on, to break."""
    shutil.copy(ROOT / "babel.cfg", tmp_path)
    shutil.copytree(ROOT / "chalicelib", tmp_path / "chalicelib", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def change(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


BACK = 'msgid "Back"\nmsgstr "Zurück"'


@pytest.mark.parametrize(
    ("after", "problem"),
    [
        ('msgid "Back"\nmsgstr ""', "de: 'Back' is not translated"),
        ('#, fuzzy\nmsgid "Back"\nmsgstr "Zurück"', "de: 'Back' is fuzzy"),
        ('msgid "Back"\nmsgstr "Zurück {n}"', "de: 'Back' and its translation have different placeholders"),
        ('msgid "Back"\nmsgstr "Zurück %(n)s"', "de: 'Back' and its translation have different placeholders"),
        ('msgid "Back"\nmsgstr "Eins zurückgehen"', "de: 'Back' has a translation of 16 characters"),
        ('msgid "Back"\nmsgstr "Zurück "', "de: 'Back' has a translation with blanks around it"),
        ('msgid "Back"\nmsgstr "Rückwärts"', "de: gateway.mo is not what"),
        ('msgid "Backwards"\nmsgstr "Zurück"', "de: gateway.po is not what"),
    ],
)
def test_the_check_finds_a_faulty_translation(copy: Path, after: str, problem: str) -> None:
    change(po_path(copy, "de"), BACK, after)
    assert [found for found in find_problems(copy) if found.startswith(problem)]


def test_the_check_finds_a_reason_that_is_too_long(copy: Path) -> None:
    change(po_path(copy, "de"), '"Falscher Code"', f'"{"x" * 121}"')
    assert [found for found in find_problems(copy) if "'Wrong code' has a translation of 121 characters" in found]


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("handlers/pages/sign_in.html.j2", "Sign in to your phone", "Sign in to this phone"),
        ("vendors/yealink/templates/device.cfg.j2", '_("Sign out")', '_("Leave")'),
        ("usecases/show_screen.py", "Cancelled.", "Stopped."),
        ("usecases/dial_feature_code.py", "Unknown feature code", "No such feature code"),
        ("usecases/redeem_pairing.py", "Too many codes were typed.", "Many codes were typed."),
        ("domain/errors.py", "Code already used", "Code used before"),
        ("domain/pairing.py", "This code is no longer valid.", "This code is void."),
    ],
)
def test_the_check_finds_a_text_that_changed_without_update(copy: Path, file: str, before: str, after: str) -> None:
    change(copy / "chalicelib" / file, before, after)
    problems = find_problems(copy)
    assert set(LANGUAGES) <= {problem.partition(":")[0] for problem in problems if "gateway.po is not what" in problem}
    assert [problem for problem in problems if after.strip('_()"') in problem]


def test_the_check_finds_a_language_that_is_missing(copy: Path) -> None:
    shutil.rmtree(po_path(copy, "fr").parent)
    assert any(problem.startswith("fr: gateway.po") for problem in find_problems(copy))


def test_update_keeps_translations_and_leaves_only_the_new_text_to_do(copy: Path) -> None:
    update_catalogues(copy)
    before = find_problems(copy)
    change(copy / "chalicelib" / "usecases" / "show_screen.py", "Cancelled.", "Xylophone")
    update_catalogues(copy)
    assert {f"{language}: 'Xylophone' is not translated" for language in LANGUAGES} == set(find_problems(copy)) - set(before)


def test_update_writes_the_same_bytes_again(copy: Path) -> None:
    update_catalogues(copy)
    first = {path: path.read_bytes() for path in copy.rglob("gateway.*")}
    update_catalogues(copy)
    assert first == {path: path.read_bytes() for path in copy.rglob("gateway.*")}
    assert 2 * len(LANGUAGES) == len(first)


def test_catalogues_name_no_date_and_no_machine() -> None:
    for path in (ROOT / "chalicelib" / "locales").rglob("gateway.*"):
        content = path.read_bytes()
        assert not re.search(rb"-Date:|Generated-By|/work|/home", content), path


def test_an_f_string_that_is_said_to_be_a_text_is_refused(copy: Path) -> None:
    change(copy / "chalicelib" / "usecases" / "show_screen.py", 'words.say("Cancelled.")', 'words.say(f"{1} cancelled.")')
    with pytest.raises(ValueError, match="an f-string cannot be translated"):
        find_problems(copy)


def test_the_command_says_whether_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == catalogues.main(["check"])
    assert "" == capsys.readouterr().out


# --- pages -------------------------------------------------------------------------------------------------------------


def test_every_page_is_tried_here() -> None:
    assert {path.name for path in FOLDER.glob("*.j2")} == {*PAGES, "layout.html.j2"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", PAGES)
def test_a_page_has_no_english_left(template: str, language: str) -> None:
    english, shown = texts_of("en", template, **PAGES[template]), texts_of(language, template, **PAGES[template])
    assert len(english) == len(shown)
    same = {text for text, original in zip(shown, english, strict=True) if text == original}
    assert set() == same - VALUES - {text for code, text in SAME_AS_ENGLISH if code == language}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(set(all_errors()), key=lambda kind: kind.__name__))
def test_every_error_has_a_heading_in_every_language(kind: type[GatewayError], language: str) -> None:
    page = texts_of(language, "error.html.j2", error=kind(), again=False, form_token="", request_id="request-1")
    assert kind.title not in page


# --- phones ------------------------------------------------------------------------------------------------------------


def test_a_german_yealink_is_german(world: World) -> None:
    phone = world.phone(words="lang_de/").enroll()
    settings = phone.settings()
    assert ("German", "Anmelden") == (settings["lang.gui"], settings["programablekey.3.label"])
    assert '<Title wrap="yes">Anmelden</Title>' in phone.screen("sign-in").text
    assert "Unbekannte Funktionskennziffer" == phone.dial("*98*")[2]


def test_a_japanese_yealink_is_english_on_its_screen(world: World) -> None:
    phone = world.phone(words="lang_ja/").enroll()
    settings = phone.settings()
    assert ("English", "Sign in") == (settings["lang.gui"], settings["programablekey.3.label"])
    assert phone.screen("sign-in").text.isascii()


def test_its_user_reads_japanese_on_the_web(world: World) -> None:
    world.phone(words="lang_ja/").enroll()
    page = world.browser().open("/pair", **{"Accept-Language": "ja-JP,ja;q=0.9,en;q=0.8"})
    assert "電話機へのサインイン" in page.text
    assert "ja" == page.headers["content-language"]


@pytest.mark.parametrize("dialled", ["*98*", "*55*000000"])
def test_a_japanese_yealink_gets_english_reasons(world: World, dialled: str) -> None:
    phone = world.phone(words="lang_ja/").onboard()
    assert phone.dial(dialled)[2].isascii()


def test_a_japanese_yealink_gets_english_phrases_from_the_edge(world: World) -> None:
    assert "en" == world.phone(words="lang_ja/").onboard().credentials().json["language"]


# --- Accept-Language ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "accepted", "expected"),
    [
        (None, "", "en"),
        (None, "de", "de"),
        (None, "de-AT", "de"),
        (None, "PT-br", "pt"),
        (None, "ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        (None, "en;q=0.5, fr;q=0.9", "fr"),
        (None, "fr ; q=0.9 , es ; q=0.95", "es"),
        (None, "de,fr", "de"),  # equal weights: the first
        (None, "de;q=1.000,fr;q=0.999", "de"),
        (None, "nl,sv;q=0.9,es;q=0.1", "es"),  # what we lack is passed over
        (None, "nl", "en"),
        (None, "*", "en"),
        (None, "*,pt;q=0.3", "pt"),
        (None, "de;q=2", "en"),  # no weight of RFC 9110 12.4.2
        (None, "de;level=1", "en"),
        (None, "zh-Hant-TW,ja;q=0.5", "ja"),
        (None, ";;,=,\x00,", "en"),
        (None, "x," * 20 + "de", "en"),  # only the first twenty are read
        ("fr", "de", "fr"),
        ("lang_fr", "de", "fr"),
        ("fr-CA", "de", "fr"),
        ("xx", "de", "de"),
        ("", "de", "de"),
        (None, "de;q=0", "en"),
        (None, "es-419", "es"),
    ],
)
def test_the_language_of_the_pages(asked: str | None, accepted: str, expected: str) -> None:
    assert expected == page_language(asked, accepted).language
