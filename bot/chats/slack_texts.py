"""Everything that the Slack adapter itself says to people."""

SLOW_DOWN = "That is faster than I can answer. I left out your last messages; please send them again in a minute."
CANT_CHECK = "I could not check whether you may change subscriptions here. Please try again in a moment."
NOT_HERE = (
    "I am not in this conversation, so alerts could not reach it. Invite me with /invite, or write to me directly."
)
HOME_TITLE = "Your subscriptions"
HOME_INTRO = "Alerts for these come to our direct messages. In a channel, type /subscribe there."
ADD_BUTTON = "Add a subscription"
ADD_TITLE = "Add a subscription"
ADD_LABEL = "Alert me about"
ADD_HINT = 'Words, "exact phrases", -without, OR'
SEND, CANCEL = "Subscribe", "Cancel"
SHORTCUT_NAME = "Alert me about this"
SHORTCUT_DESCRIPTION = "Alert me about stories like this"
APP_DESCRIPTION = "One story, one alert: news for the words you subscribe to."
