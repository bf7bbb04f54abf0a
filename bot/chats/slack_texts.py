"""Everything that the Slack adapter itself says to people, in English; translated where it is said."""

from bot.i18n import N_

SLOW_DOWN = N_("That is faster than I can answer. I left out your last messages; please send them again in a minute.")
CANT_CHECK = N_("I could not check whether you may change subscriptions here. Please try again in a moment.")
NOT_HERE = N_(
    "I am not in this conversation, so alerts could not reach it. Invite me with /invite, or write to me directly."
)
HOME_TITLE = N_("Your subscriptions")
HOME_INTRO = N_("Alerts for these come to our direct messages. In a channel, type /subscribe there.")
HOME_EMPTY = N_("Nothing yet. Add a word, and I ring when it is in the news.")
ADD_BUTTON = N_("Add a subscription")
ADD_TITLE = N_("Add a subscription")
ADD_LABEL = N_("Alert me about")
ADD_HINT = N_('Words, "exact phrases", -without, OR')
PLACE, PLACE_HERE, PLACE_DIRECT = N_("Where"), N_("In this conversation"), N_("In our direct messages")
PAUSE, RESUME, REMOVE, OPTIONS = N_("Pause"), N_("Resume"), N_("Remove"), N_("Options")
PAUSE_ALL, RESUME_ALL = N_("Pause all"), N_("Resume all")
BACK, MORE = N_("‹ Back"), N_("More ›")
PAUSED, DIGEST = N_("paused"), N_("digest {rhythm}")
WHEN, AS_THE_CHAT, AT_ONCE = N_("When it rings"), N_("As set for this conversation"), N_("At once")
HOURLY, DAILY, WEEKLY = N_("Collected every hour"), N_("Collected daily at 08:00"), N_("Collected Mondays at 08:00")
SILENCE, RINGS, STAYS_PAUSED = N_("Pause"), N_("Not paused"), N_("Stays paused")
ONE_HOUR, ONE_DAY, ONE_WEEK = N_("For an hour"), N_("For a day"), N_("For a week")
UNTIL_RESUMED = N_("Until I resume it")
DEVELOPMENTS, UPDATES_ON, UPDATES_OFF = N_("When a story develops"), N_("Tell me in its thread"), N_("no updates")
SEND, SAVE, CANCEL = N_("Subscribe"), N_("Save"), N_("Cancel")
SHORTCUT_NAME = N_("Alert me about this")
SHORTCUT_DESCRIPTION = N_("Alert me about stories like this")
APP_DESCRIPTION = N_("One story, one alert: news for the words you subscribe to.")
