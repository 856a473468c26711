"""What is found once in a process, and what is asked again."""

import pytest

from gensr.features.audio.errors import AudioError
from gensr.features.audio.once import Once


@pytest.fixture
def asked():
    """asked(error=None) -> a search that notes its calls and raises, or gives 7."""

    class Asked(list):
        def __call__(self, error=None, cause=None):
            self.append(error)
            if error is not None:
                raise error from cause
            return 7

    return Asked()


def test_a_value_is_found_once(asked):
    found = Once(10)
    assert [found.get("a", asked), found.get("a", asked), found.peek("a")] == [7, 7, 7]
    assert len(asked) == 1
    assert found.get(None, asked) == 7
    assert len(asked) == 2


def test_what_is_wrong_with_a_content_is_found_once(asked):
    found = Once(10)
    for _ in range(3):
        with pytest.raises(AudioError, match="damaged"):
            found.get("a", lambda: asked(AudioError("damaged")))
    assert len(asked) == 1
    assert found.peek("a") is None


@pytest.mark.parametrize("error", [AudioError("a disk"), MemoryError(), OSError()])
def test_what_passes_is_asked_again(asked, error):
    found = Once(10)
    for _ in range(3):
        with pytest.raises(type(error)):
            found.get("a", lambda: asked(error, OSError()))
    assert len(asked) == 3
    assert found.get("a", asked) == 7


@pytest.mark.parametrize("room", [1, 10, 1 << 20])
def test_refusals_take_room_too(asked, room):
    found = Once(room)
    for key in range(3_000):
        with pytest.raises(AudioError):
            found.get(key, lambda: asked(AudioError("damaged")))
    assert len(found._entries) <= 1_000
