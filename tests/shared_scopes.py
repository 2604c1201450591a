"""How several pytest processes share the tests: a module each, all of the page on one process."""

from xdist.scheduler import LoadScopeScheduling

PAGE = "tests/e2e/test_page"


class Scopes(LoadScopeScheduling):  # type: ignore[misc] # xdist is not typed
    """One process has every page test: two browsers would starve each other's audio."""

    def _split_scope(self, nodeid: str) -> str:
        return PAGE if nodeid.startswith(PAGE) else str(super()._split_scope(nodeid))
