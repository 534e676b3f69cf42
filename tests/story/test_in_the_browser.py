"""The whole story as a person sees it: typed, read, approved and recovered in a real Chromium, without a console error.

`STORY_PICTURES=1 pytest tests/story/test_in_the_browser.py` also renews `pictures/thread-light.png` and `-dark.png`.
"""

import pytest

from tests.story.long_stories import InTheBrowser

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_a_person_asks_reads_approves_and_sees_the_recovery(browsed: InTheBrowser) -> None:
    seen = await browsed.told()
    assert seen.complaints == [], "the page logged errors"
    assert seen.changes == 1
    assert set(seen.pictures) == {"light", "dark"}
    for picture in seen.pictures.values():
        assert 10_000 < picture.stat().st_size < 300_000
