"""Everything that the Slack adapter itself says to people, in English; translated where it is said."""

from bot.i18n import N_

SLOW_DOWN = N_("That is faster than I can answer. I left out your last messages; please send them again in a minute.")
CANT_CHECK = N_("I could not check whether you may change subscriptions here. Please try again in a moment.")
NOT_HERE = N_(
    "I am not in this conversation, so alerts could not reach it. Invite me with /invite, or write to me directly."
)
HOME_TITLE = N_("Your subscriptions")
HOME_INTRO = N_("Alerts for these come to our direct messages. In a channel, type /subscribe there.")
ADD_BUTTON = N_("Add a subscription")
ADD_TITLE = N_("Add a subscription")
ADD_LABEL = N_("Alert me about")
ADD_HINT = N_('Words, "exact phrases", -without, OR')
SEND, CANCEL = N_("Subscribe"), N_("Cancel")
SHORTCUT_NAME = N_("Alert me about this")
SHORTCUT_DESCRIPTION = N_("Alert me about stories like this")
APP_DESCRIPTION = N_("One story, one alert: news for the words you subscribe to.")
