"""Of two answers about the same name the one that was asked for later counts."""

from __future__ import annotations

from sip_edge.agent.core.newest import Newest


def test_an_answer_that_was_overtaken_is_not_the_newest() -> None:
    questions = Newest()
    first, second = questions.ask("anna"), questions.ask("anna")

    assert questions.end("anna", second, answered=True)
    assert not questions.end("anna", first, answered=True)


def test_answers_in_order_each_are_the_newest() -> None:
    questions = Newest()
    first, second = questions.ask("anna"), questions.ask("anna")

    assert questions.end("anna", first, answered=True)
    assert questions.end("anna", second, answered=True)


def test_a_later_question_without_an_answer_takes_nothing_from_an_earlier_one() -> None:
    questions = Newest()
    first, second = questions.ask("anna"), questions.ask("anna")
    questions.end("anna", second, answered=False)

    assert questions.end("anna", first, answered=True)


def test_names_know_nothing_of_each_other() -> None:
    questions = Newest()
    anna, ben = questions.ask("anna"), questions.ask("ben")
    questions.end("ben", ben, answered=True)

    assert questions.end("anna", anna, answered=True)
