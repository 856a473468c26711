import pytest

from support import acme


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A folder to import from, with the package of docs/extending.md installed in it."""
    return acme.install(tmp_path_factory.mktemp("acme"), tmp_path_factory.mktemp("site"))
