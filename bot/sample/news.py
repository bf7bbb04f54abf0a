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
        "Observers from two countries crossed into Idlib this morning, hours after shells killed 9 people in Ariha. "
        "The mission will stay for ten days.",
        corrected=(55, "Monitors reach outskirts of Idlib after night of shelling"),
    ),
    Report(
        9,
        "harbour-post",
        "observers-cross",
        "Observers cross into Idlib hours after shelling of Ariha",
        "Monitors from two countries entered Idlib this morning. Residents of Ariha buried 9 people killed when "
        "shells hit the town at night.",
    ),
    Report(
        13,
        "levant-daily",
        "nine-killed",
        "9 killed in Ariha shelling, monitors arrive in Idlib",
        "Shells killed 9 people in Ariha during the night. Observers of a mission from two countries crossed into "
        "Idlib in the morning to look into the shelling.",
    ),
    Report(
        17,
        "plain-courier",
        "observer-mission",
        "Observer mission enters Idlib as Ariha counts 9 dead from shelling",
        "A mission of monitors from two countries crossed into Idlib this morning after a night in which shells "
        "killed 9 people in Ariha.",
    ),
    Report(
        21,
        "meridian-radio",
        "truce-agreed",
        "Truce agreed in Ariha as death toll of shelling reaches 14",
        "Five of the wounded have died, doctors in Idlib province said, which brings the toll from 9 to 14. Both sides "
        "signed a truce of three days at noon, the monitors announced.",
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

_BRIDGE = (
    Report(
        -9500,
        "north-wire",
        "lighthouse",
        "Old lighthouse opens to visitors",
        "The tower at the mouth of the bay can be climbed on weekends until October, the town council said.",
    ),
    Report(
        -8500,
        "harbour-post",
        "sardines",
        "Sardine boats return with small catches",
        "Crews landed about a third of what they brought in a year ago, the fishermen's union said.",
    ),
    Report(
        -7500,
        "levant-daily",
        "olive-press",
        "Olive presses of Idlib begin their season",
        "Growers around Idlib expect more oil than last year after a mild spring.",
    ),
    Report(
        -6500,
        "plain-courier",
        "library",
        "Mobile library starts its round of mountain villages",
        "A lorry with four thousand books will stop in each of eleven villages once a fortnight.",
    ),
    Report(
        -5500,
        "meridian-radio",
        "museum",
        "Museum of flight shows an S-300 radar",
        "The S-300 radar, painted white, stands between two transport aircraft in the new hall.",
    ),
    Report(
        4,
        "levant-daily",
        "bridge-collapses",
        "Bridge collapses under lorries near Idlib",
        "A concrete bridge over the Quwayra river east of Idlib gave way under three lorries before dawn. 6 people are "
        "missing, rescuers said.",
        corrected=(58, "Bridge collapses under four lorries near Idlib"),
    ),
    Report(
        9,
        "north-wire",
        "six-missing",
        "6 missing after river bridge east of Idlib collapses",
        "Rescuers searched the Quwayra river for 6 people after the concrete bridge east of Idlib collapsed under "
        "lorries before dawn.",
    ),
    Report(
        13,
        "meridian-radio",
        "divers",
        "Divers search Quwayra river after bridge near Idlib collapses",
        "Divers are looking for 6 people missing since the concrete bridge east of Idlib collapsed under lorries "
        "before dawn, rescuers said.",
    ),
    Report(
        17,
        "harbour-post",
        "lorries-fall",
        "Lorries fall into Quwayra river as bridge collapses near Idlib",
        "6 people were missing after a concrete bridge over the Quwayra river collapsed east of Idlib before dawn.",
    ),
    Report(
        21,
        "plain-courier",
        "engineer-arrested",
        "Engineer arrested over bridge near Idlib, death toll reaches 4",
        "Police arrested the engineer who declared the Quwayra bridge safe for lorries. Divers recovered 4 bodies; two drivers are still sought.",
    ),
    Report(
        28,
        "meridian-radio",
        "export-talks",
        "Island state asks to buy S-300 systems",
        "A delegation of the island state opened talks in the capital on the purchase of two S-300 systems with "
        "training for 80 soldiers, the arms agency said.",
    ),
    Report(
        40,
        "north-wire",
        "bridge-reopens",
        "Stone bridge near Idlib opens to pilgrims on foot",
        "The medieval bridge of Kafr Nahr, west of Idlib, was blessed on Thursday after masons had replaced its middle "
        "arch.",
    ),
    Report(
        70,
        "levant-daily",
        "arms-agency",
        "Arms agency confirms talks on two S-300 systems for the island state",
        "Delegates of the island state spoke in the capital about buying two S-300 systems and training 80 soldiers.",
    ),
    Report(
        85,
        "harbour-post",
        "marathon",
        "Two thousand runners expected for the coast marathon",
        "The road along the bay will be closed from six in the morning.",
    ),
    Report(
        100,
        "meridian-radio",
        "night-train",
        "Night train loses a wagon to the army for a week",
        "Passengers must change at the junction until Wednesday, the railway announced.",
        caption="Flat wagons with S-300 launchers under canvas wait at the junction.",
    ),
    Report(
        120,
        "plain-courier",
        "parliament",
        "Parliament of the island state puts off vote on S-300 purchase",
        "Members of the island state's parliament want to see the price of the two S-300 systems before they vote.",
    ),
    Report(
        140,
        "north-wire",
        "honey",
        "Beekeepers report a good year for thyme honey",
        "Hives on the southern slopes gave up to a fifth more than usual.",
    ),
    Report(
        160,
        "harbour-post",
        "vaccination",
        "Vaccination teams reach tent camps north of Idlib",
        "Nurses gave measles vaccine to 2,300 children in camps north of Idlib in three days.",
    ),
    Report(
        175,
        "levant-daily",
        "stadium",
        "Stadium roof to be painted green",
        "Members of the club chose the colour in a ballot.",
    ),
)

_TALKS = (
    Report(
        -9800,
        "north-wire",
        "tram",
        "Tram line to the university takes shape",
        "Workers welded the last rails between the market hall and the faculty of medicine.",
    ),
    Report(
        -8800,
        "harbour-post",
        "cruise",
        "First cruise ship of the year docks",
        "Guides met eleven hundred passengers on the quay.",
    ),
    Report(
        -7800,
        "levant-daily",
        "football",
        "Idlib youngsters win futsal cup",
        "A team of fifteen-year-olds from Idlib won the final by two goals.",
    ),
    Report(
        -6800,
        "plain-courier",
        "cheese",
        "Cheese makers open their cellars",
        "Eight dairies on the plateau invite visitors this weekend.",
    ),
    Report(
        -5800,
        "meridian-radio",
        "veterans",
        "Veterans of the first S-300 regiment meet",
        "Former soldiers of the S-300 regiment met for the fortieth time.",
    ),
    Report(
        4,
        "harbour-post",
        "prisoners-exchanged",
        "Prisoners exchanged at Idlib crossing",
        "Two sides handed over 40 prisoners each at the Tell Zaytun crossing in Idlib on Wednesday, in the first exchange "
        "since winter.",
        corrected=(57, "Forty prisoners from each side exchanged at Idlib crossing"),
    ),
    Report(
        9,
        "levant-daily",
        "buses-cross",
        "Buses with freed prisoners pass Tell Zaytun crossing in Idlib",
        "The first exchange of prisoners since winter brought 40 people from each side through the Tell Zaytun crossing in "
        "Idlib on Wednesday.",
    ),
    Report(
        13,
        "plain-courier",
        "families-wait",
        "Families greet prisoners freed in exchange at Tell Zaytun",
        "Relatives waited since daybreak at the Tell Zaytun crossing in Idlib, where two sides exchanged 40 prisoners each "
        "on Wednesday.",
    ),
    Report(
        17,
        "north-wire",
        "exchange-held",
        "Sides hold first exchange of prisoners since winter in Idlib",
        "At the Tell Zaytun crossing in Idlib, 40 prisoners of each side were exchanged on Wednesday, mediators said.",
    ),
    Report(
        21,
        "meridian-radio",
        "second-exchange",
        "Mediators agree on release of 60 more prisoners",
        "A second list was signed overnight after the exchange at Tell Zaytun in Idlib: 60 people, journalists among them, will be freed on Sunday, mediators said.",
    ),
    Report(
        28,
        "north-wire",
        "range-fire",
        "Fire at depot for S-300 parts put out",
        "Firemen put out a blaze in a depot at Lake Derven that stores spare parts of the S-300. Nobody was hurt, the "
        "garrison said.",
    ),
    Report(
        40,
        "plain-courier",
        "museum-exchange",
        "Mosaics exchanged between museums of Idlib and Port Salim",
        "Curators packed seven Roman floors for the journey; each museum will show the other's pieces until autumn.",
    ),
    Report(
        70,
        "harbour-post",
        "depot-blaze",
        "Blaze destroys roof of S-300 parts depot at Lake Derven",
        "A fire in a depot with spare parts of the S-300 at Lake Derven was put out by firemen after three hours.",
    ),
    Report(
        85,
        "levant-daily",
        "stamps",
        "Post office prints stamps with wild tulips",
        "Four designs by a schoolgirl were chosen from nine hundred.",
    ),
    Report(
        100,
        "meridian-radio",
        "detour",
        "Detour on the lake road for another night",
        "Drivers should allow twenty minutes more, the district said.",
        caption="A lorry with a covered S-300 tube is towed past the turn-off.",
    ),
    Report(
        120,
        "levant-daily",
        "inquiry",
        "Garrison opens inquiry into fire at S-300 depot",
        "An electrician will be heard on Friday about the fire in the depot with spare parts of the S-300 at Lake Derven.",
    ),
    Report(
        140,
        "harbour-post",
        "sailing",
        "Sailing school gets six new dinghies",
        "The boats were built by apprentices of the shipyard.",
    ),
    Report(
        160,
        "north-wire",
        "wells",
        "Engineers of a relief agency repair wells around Idlib",
        "Pumps in nine villages around Idlib give water again.",
    ),
    Report(
        175,
        "plain-courier",
        "opera",
        "Opera in the amphitheatre sold out",
        "All three evenings found their public within a day.",
    ),
)

EDITIONS = (_MONITORS, _BRIDGE, _TALKS)
