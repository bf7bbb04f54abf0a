from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Entry, EntryId, FeedId, Kind, Placement, Story, StoryId
from bot.stories.cluster import StoryIndex

START = datetime(2026, 3, 1, 8, tzinfo=UTC)


def entry(
    number: int, outlet: str, title: str, lead: str = "", *, minutes: float | None = None, language: str = "en"
) -> Entry:
    at = START + timedelta(minutes=10 * number if minutes is None else minutes)
    return Entry(
        id=EntryId(f"e{number}"),
        feed=FeedId(f"https://{outlet}.example/feed"),
        source=outlet,
        title=title,
        link=f"https://{outlet}.example/news/{number}",
        guid=f"{outlet}-{number}",
        summary=lead,
        seen=at,
        published=at,
        language=language,
    )


FERRY = [
    entry(0, "north-wire", "Ferry sinks off Corvo island, at least three dead",
          "A passenger ferry sank on Monday off Corvo island in heavy seas and at least three people died, the coast guard said."),
    entry(1, "harbour-post", "Three killed as passenger boat goes down near Corvo",
          "Rescuers searched through the night for survivors after a ferry with 80 people aboard went down near Corvo."),
    entry(2, "levant-daily", "Corvo ferry disaster: what rescuers saw",
          "Coast guard crews described waves of six metres as they pulled passengers from the water off Corvo."),
    entry(3, "coast-radio", "Death toll in Corvo ferry sinking rises to 11",
          "Divers recovered eight more bodies from the ferry that sank off Corvo island on Monday, the coast guard said."),
]  # fmt: skip
LOOK_ALIKE = entry(
    4, "north-wire", "Ferry runs aground near Flores, nobody hurt",
    "A car ferry ran aground on Tuesday near Flores island in calm seas and all 40 passengers were taken off, the coast guard said.",
)  # fmt: skip
PROVINCE = [
    entry(10, "gazette", "Defence ministers of two countries discuss tension in Sarvan province",
          "The defence ministers of Ostland and Westland discussed ways to reduce tension in the rebel-held Sarvan province, officials said on Tuesday."),
    entry(11, "gazette", "Ostland begins delivery of air defence batteries",
          "Ostland's foreign minister said on Friday that delivery of the K-300 air defence system to the government in Marn had begun."),
    entry(12, "gazette", "Foreign fighters make their last stand in Sarvan",
          "Chased out of their own countries, foreign fighters embraced the war as their own years ago. Many still hold villages of Sarvan."),
    entry(13, "gazette", "Warplanes pound towns in southern Sarvan",
          "Government warplanes pounded towns in Sarvan on Saturday. Rescuers counted at least a dozen air strikes on the countryside."),
    entry(14, "gazette", "Aid convoy turned back at Sarvan crossing",
          "Forty lorries with flour and medicine were turned back at the only open crossing into Sarvan, the relief agency said."),
    entry(15, "gazette", "Teachers of Sarvan reopen schools in cellars",
          "Two hundred children took their first lessons in a year, below ground, after teachers in Sarvan cleared old cellars."),
]  # fmt: skip


def place(entries: list[Entry]) -> list[Placement]:
    index = StoryIndex()
    return [index.place(each) for each in entries]


def test_four_outlets_on_one_event_are_one_story() -> None:
    """Ten outlets on one event must ring once, in their own words and from the very first entry on."""
    placed = place(FERRY)

    assert {p.story for p in placed} == {StoryId("se0")}
    assert placed[0].kind is Kind.FIRST
    assert all(p.kind is not Kind.FIRST for p in placed[1:])


def test_a_look_alike_event_is_not_folded_in() -> None:
    """The costliest mistake is a story that hides behind another one that sounds like it."""
    placed = place([*FERRY, LOOK_ALIKE])

    assert placed[-1].story == StoryId("se4")
    assert placed[-1].kind is Kind.FIRST


def test_stories_of_one_topic_in_one_small_feed_stay_apart() -> None:
    """A cold start on a single feed about one place must not make one story of the place."""
    assert len({p.story for p in place(PROVINCE)}) == len(PROVINCE)


def test_a_changed_toll_is_a_development_and_says_so() -> None:
    """People wait for the new figure; a plain repeat would be silent."""
    last = place(FERRY)[-1]

    assert last.kind is Kind.DEVELOPMENT
    assert last.news.startswith("toll 3 → 11")


def test_every_decision_has_a_reason_in_words() -> None:
    """/why shows it."""
    placed = place([*FERRY, LOOK_ALIKE])

    assert all(p.reason for p in placed)
    assert "rare words" in placed[1].reason
    assert "nearest" in placed[-1].reason


def test_a_copy_with_another_guid_and_date_is_the_same_story() -> None:
    """Outlets publish one piece again with a new id and date; it must not ring twice."""
    copy = entry(900, "north-wire", FERRY[0].title, FERRY[0].summary, minutes=700)

    assert place([FERRY[0], copy])[1].story == StoryId("se0")


def test_an_entry_is_placed_once() -> None:
    """A second look at a known entry gives the first answer and changes nothing."""
    index = StoryIndex()
    first = [index.place(each) for each in FERRY]

    assert [index.place(each) for each in FERRY] == first
    assert len(index) == 1


def test_after_the_window_a_story_is_closed() -> None:
    """An anniversary piece must not reply to an alert of last week; and memory stays bounded."""
    index = StoryIndex(window=timedelta(hours=72))
    index.place(FERRY[0])
    late = entry(5000, "harbour-post", FERRY[1].title, FERRY[1].summary, minutes=73 * 60)

    assert index.place(late).kind is Kind.FIRST
    assert len(index) == 1


def test_other_scripts() -> None:
    """Inflected Russian and unspaced Chinese must cluster as English does."""
    russian = [
        entry(0, "a", "В Корве затонул паром, погибли трое", "Пассажирский паром затонул у острова Корва, погибли три человека.", language="ru"),
        entry(1, "b", "Трое погибли при крушении парома у Корвы", "Спасатели ищут выживших после крушения пассажирского парома у острова Корва.", language="ru"),
        entry(2, "c", "Парламент принял бюджет на следующий год", "Депутаты утвердили бюджет после ночного заседания.", language="ru"),
    ]  # fmt: skip
    chinese = [
        entry(
            0,
            "a",
            "科尔武岛附近渡轮沉没三人死亡",
            "一艘客运渡轮周一在科尔武岛附近沉没，海岸警卫队说至少三人死亡。",
            language="zh",
        ),
        entry(
            1,
            "b",
            "渡轮在科尔武岛沉没 搜救继续",
            "海岸警卫队继续搜寻在科尔武岛附近沉没的客运渡轮上的乘客。",
            language="zh",
        ),
        entry(2, "c", "议会通过明年预算", "议员们在通宵会议后通过了预算。", language="zh"),
    ]
    for entries in (russian, chinese):
        placed = place(entries)
        assert placed[0].story == placed[1].story != placed[2].story


def test_entries_with_nothing_to_compare_stand_alone() -> None:
    """Empty titles, signs and emoji must neither crash nor join one another."""
    entries = [entry(i, "a", title) for i, title in enumerate(["", "", "!!!", "🙂", "2026", "the", "the"])]

    assert len({p.story for p in place(entries)}) == len(entries)


_WORDS = st.sampled_from(
    [
        "ferry",
        "sinks",
        "corvo",
        "island",
        "three",
        "dead",
        "quake",
        "tarvos",
        "minister",
        "resigns",
        "budget",
        "vote",
        "strike",
        "port",
        "fire",
    ]
)
_TEXT = st.lists(_WORDS, min_size=3, max_size=9).map(" ".join)
_STREAM = st.lists(st.tuples(_TEXT, _TEXT, st.integers(0, 900), st.sampled_from("abc")), min_size=2, max_size=30)


def _entries(stream: list[tuple[str, str, int, str]]) -> list[Entry]:
    minutes, entries = 0, []
    for i, (title, lead, gap, outlet) in enumerate(stream):
        minutes += gap
        entries.append(entry(i, outlet, title, lead, minutes=minutes))
    return entries


def _stories(entries: list[Entry], placed: list[Placement]) -> list[tuple[Story, list[Entry]]]:
    """As ingest keeps them."""
    members: dict[StoryId, list[Entry]] = {}
    for each, placement in zip(entries, placed, strict=True):
        home = members.setdefault(placement.story, [])
        for other in placement.merges:
            home += members.pop(other)
        home.append(each)
    return [
        (Story(story, m[0].title, m[0].seen, m[-1].seen, tuple(e.id for e in m)), m) for story, m in members.items()
    ]


@given(_STREAM, st.integers(0, 29))
@settings(max_examples=60, deadline=None)
def test_a_restart_changes_no_decision(stream: list[tuple[str, str, int, str]], cut: int) -> None:
    """A bot that was restarted must decide just as if it had never stopped, or a story would ring twice."""
    entries = _entries(stream)
    cut = min(cut, len(entries) - 1)
    whole = StoryIndex()
    placed = [whole.place(each) for each in entries]

    again = StoryIndex()
    since = entries[cut].seen - timedelta(hours=72)
    again.restore([(s, m) for s, m in _stories(entries[:cut], placed[:cut]) if s.last_seen >= since])

    assert [again.place(each) for each in entries[cut:]] == placed[cut:]


@given(_STREAM)
@settings(max_examples=40, deadline=None)
def test_every_entry_is_in_exactly_one_story_that_has_a_first(stream: list[tuple[str, str, int, str]]) -> None:
    """An entry in no story would never ring; one in two would ring twice."""
    entries = _entries(stream)
    placed = place(entries)

    assert [p.entry for p in placed] == [e.id for e in entries]
    for placement in placed:
        begins = placement.story == StoryId(f"s{placement.entry}")
        assert (placement.kind is Kind.FIRST) == begins
        assert placement.kind is Kind.DEVELOPMENT or not placement.news


def test_a_late_bridge_merges_two_stories_of_one_event() -> None:
    """Two halves that began apart become one story when an entry shows it; the taken over one never rings again."""
    lead = "The coast guard said that a passenger ferry sank off Corvo island in heavy seas on Monday."
    index = StoryIndex()
    one = index.place(entry(0, "a", "Passenger ferry sinks off Corvo island", lead))
    two = index.place(
        entry(1, "b", "Captain Oyelaran held after Monday's disaster", "Prosecutors named captain Tunde Oyelaran.")
    )
    bridge = entry(
        2, "c", "Captain Oyelaran held after passenger ferry sinks off Corvo island",
        f"{lead} Prosecutors named captain Tunde Oyelaran after Monday's disaster.",
    )  # fmt: skip
    last = index.place(bridge)

    assert one.story != two.story
    assert last.kind is not Kind.FIRST
    assert {last.story, *last.merges} <= {one.story, two.story}
    assert len(index) == 2 - len(last.merges)
