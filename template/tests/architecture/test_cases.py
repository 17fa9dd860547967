"""Every attack of the catalogue has a test that stands for it, and the page says which."""

from dev.cases import PAGE, catalogue, marked, page

KNOWN = {case for cases in catalogue().values() for case in cases}


def test_every_case_has_a_test() -> None:
    assert KNOWN - marked().keys() == set(), "mark the tests: pytest.mark.case(id)"


def test_no_test_stands_for_a_case_that_nobody_knows() -> None:
    assert marked().keys() - KNOWN == set(), "describe it in tests/cases.toml"


def test_the_page_is_written_from_the_marks() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: make cases"
