"""A way to run single tests of a suite against an operator that is known to be wrong."""

import pytest


@pytest.fixture
def refuse():
    """Assert that a test of a suite fails when the operator is wrong."""

    def refuse(suite, operator, test, *arguments, raising=AssertionError):
        wrong = type("Wrong", (suite,), {"operator": staticmethod(operator)})()
        with pytest.raises(raising):
            getattr(wrong, test)(*arguments)

    return refuse
