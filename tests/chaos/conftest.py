"""Options and fixtures of the tests that kill: each as many times as asked."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--count", type=int, default=1, help="how often each test of chaos runs")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test as often as asked, in rounds of all; `count` is for those that loop."""
    count: int = metafunc.config.getoption("--count", default=1)
    if count > 1 and "here" in metafunc.fixturenames and "count" not in metafunc.fixturenames:
        metafunc.fixturenames.append("round_number")
        metafunc.parametrize("round_number", range(count), scope="session")


@pytest.fixture
def count(request: pytest.FixtureRequest) -> int:
    """Give how often a test that kills again and again does so."""
    asked: int = request.config.getoption("--count", default=1)
    return max(3, asked)
