"""The tests' own reader of Yealink files is strict."""

from __future__ import annotations

import pytest

from tests.unit.vendors.yealink_format import NotYealink, parse_yealink


def test_settings_are_read_by_name() -> None:
    text = '#!version:1.0.0.1\n## words\n\ninclude:config "y000000000066.cfg"\na.1.b = c d = e # f\nempty = \n'

    assert {"a.1.b": "c d = e # f", "empty": ""} == parse_yealink(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a = b\n",
        " #!version:1.0.0.1\n",
        "#!version:1.0.0.1",
        "#!version:1.0.0.1\na = b",
        "#!version:1.0.0.1\na = b\na = c\n",
        "#!version:1.0.0.1\na=b\n",
        "#!version:1.0.0.1\nwords\n",
        "#!version:1.0.0.1\n a = b\n",
        "#!version:1.0.0.1\na = b \n",
        "#!version:1.0.0.1\na = b\u2028c\n",
        "#!version:1.0.0.1\na = b\x0bc\n",
        '#!version:1.0.0.1\ninclude:config "../x.cfg"\n',
    ],
)
def test_anything_doubtful_is_refused(text: str) -> None:
    with pytest.raises(NotYealink):
        parse_yealink(text)
