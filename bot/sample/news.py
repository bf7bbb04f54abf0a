"""What the sample wire publishes. Every outlet, event and figure is invented; places only lend their names.

An edition tells, from its start on: one event by four outlets in their own words, a development of it, a headline
that is corrected in place, and a report that looks like the event and is another one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outlet:
    """An invented outlet."""

    slug: str
    name: str
    #: "rss", "atom" or "json"
    format: str


@dataclass(frozen=True, slots=True)
class Report:
    """An invented news item."""

    #: seconds from the start of the edition; negative: old news
    at: float
    outlet: str
    slug: str
    title: str
    text: str
    caption: str = ""
    #: a later headline, and the second from which it stands
    corrected: tuple[float, str] | None = None

    def headline(self, seconds: float) -> str:
        """As it stands so many seconds from the start."""
        return self.corrected[1] if self.corrected and seconds >= self.corrected[0] else self.title


OUTLETS = (
    Outlet("north-wire", "North Wire", "rss"),
    Outlet("harbour-post", "Harbour Post", "atom"),
    Outlet("levant-daily", "Levant Daily", "rss"),
    Outlet("plain-courier", "Plain Courier", "json"),
    Outlet("meridian-radio", "Meridian Radio", "rss"),
)

_MONITORS = (
    Report(
        -9000,
        "north-wire",
        "harvest-begins-early",
        "Harvest begins early on the coastal plain",
        "Farmers on the coastal plain have started to bring in wheat two weeks before the usual date, growers said.",
    ),
    Report(
        -8000,
        "harbour-post",
        "ferry-timetable",
        "Ferries change to the winter timetable",
        "The last boat to the islands will leave at 19:30 from Sunday, the port office announced.",
    ),
    Report(
        -7000,
        "levant-daily",
        "market-reopens",
        "Covered market in Idlib reopens after repairs",
        "Traders returned to the covered market in Idlib after eight months of work on its roof.",
    ),
    Report(
        -6000,
        "plain-courier",
        "choir-prize",
        "Choir of five villages wins regional prize",
        "Forty singers from five villages took first place with a programme of wedding songs.",
    ),
    Report(
        -5000,
        "meridian-radio",
        "open-day",
        "Air force shows S-300 launchers at open day",
        "Some two thousand visitors walked past S-300 launchers and trainer aircraft at the base on Saturday.",
    ),
    Report(
        4,
        "north-wire",
        "monitors-enter",
        "Monitors enter Idlib after night of shelling",
        "Observers from two countries crossed into Idlib this morning, hours after shells killed nine people in Ariha. "
        "The mission will stay for ten days.",
        corrected=(55, "Monitors reach outskirts of Idlib after night of shelling"),
    ),
    Report(
        9,
        "harbour-post",
        "observers-cross",
        "Observers cross into Idlib hours after shelling of Ariha",
        "Monitors from two countries entered Idlib this morning. Residents of Ariha buried nine people killed when "
        "shells hit the town at night.",
    ),
    Report(
        13,
        "levant-daily",
        "nine-killed",
        "Nine killed in Ariha shelling, monitors arrive in Idlib",
        "Shells killed nine people in Ariha during the night. Observers of a mission from two countries crossed into "
        "Idlib in the morning to look into the shelling.",
    ),
    Report(
        17,
        "plain-courier",
        "observer-mission",
        "Observer mission enters Idlib as Ariha counts nine dead from shelling",
        "A mission of monitors from two countries crossed into Idlib this morning after a night in which shells "
        "killed nine people in Ariha.",
    ),
    Report(
        21,
        "meridian-radio",
        "toll-rises",
        "Toll of Ariha shelling rises to 14 as monitors enter Idlib",
        "Five of the wounded have died, hospital officials in Ariha said, which brings the toll of the night's "
        "shelling from nine to 14. Observers from two countries crossed into Idlib this morning.",
    ),
    Report(
        28,
        "harbour-post",
        "new-battery",
        "New S-300 battery seen near Port Salim",
        "Satellite pictures show a battery of S-300 missiles on the headland north of Port Salim. Four launchers and a "
        "radar stand where there were fields in spring, analysts said.",
    ),
    Report(
        40,
        "levant-daily",
        "aid-convoy",
        "Aid convoy enters Idlib after night of heavy rain",
        "Twenty-six lorries with flour and medicine reached warehouses in Idlib once the river road was cleared of "
        "mud, a relief agency said.",
    ),
    Report(
        70,
        "plain-courier",
        "satellite-pictures",
        "Satellite pictures show S-300 launchers at Port Salim",
        "Analysts counted four launchers and a radar of an S-300 battery on the headland north of Port Salim.",
    ),
    Report(
        85,
        "levant-daily",
        "bank-rate",
        "Islands' central bank leaves its rate unchanged",
        "The bank kept its main rate at 4.5 per cent and said that prices of bread were steady.",
    ),
    Report(
        100,
        "meridian-radio",
        "ring-road",
        "Parade rehearsal closes the ring road",
        "Drivers waited for up to two hours on Thursday while columns practised for the anniversary.",
        caption="A transporter of the S-300 air defence system passes the stadium during the rehearsal.",
    ),
    Report(
        120,
        "harbour-post",
        "ministry-confirms",
        "Ministry confirms S-300 battery was moved to Port Salim",
        "The defence ministry said that the battery of S-300 missiles on the headland near Port Salim had come from "
        "the capital for exercises and would leave by the end of the month.",
    ),
    Report(
        140,
        "north-wire",
        "rowing-cup",
        "Harbour club wins the rowing cup for a third year",
        "The crew finished two lengths ahead on a windy course in front of full stands.",
    ),
    Report(
        160,
        "meridian-radio",
        "teachers-return",
        "Teachers in Idlib return to classrooms after two-year gap",
        "Lessons began in 31 schools of Idlib on Monday, with two shifts a day until roofs are mended.",
    ),
    Report(
        175,
        "north-wire",
        "weather",
        "Fog expected in the valleys until Friday",
        "Forecasters warned of poor visibility on the passes in the early hours.",
    ),
)

EDITIONS = (_MONITORS,)
