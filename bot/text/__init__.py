"""What a word is: the one idea of it, shared by stories and subscriptions.

`fold` makes equal what people hold to be equal (case, diacritics, dashes, digits of any script, invisible characters);
`words` cuts folded text into words; `tokens` gives the same words with their place in the original text.

Words are runs of letters or runs of digits; they are cut where letters meet digits (`T-72B3` is t 72 b 3). Scripts
whose words stand without spaces between them (Han, Kana, Thai, Lao, Khmer, Burmese), and Hangul, whose particles stick
to the word, give one word per character: equality of runs is then a matter of neighbouring characters. A possessive
's is dropped; another apostrophe parts two words (`İdlib'de` is idlib de). Dots inside an acronym vanish (`U.S.` is us).

Sources: Unicode Standard Annex 15 (normalisation forms), chapter 3.13 (case folding).
"""

from bot.text.cutting import CHARACTERS, Token, surfaces, tokens, words
from bot.text.folding import fold, folded_offsets
from bot.text.language import detect_language, likely_language, written_in

__all__ = [
    "CHARACTERS",
    "Token",
    "detect_language",
    "fold",
    "folded_offsets",
    "likely_language",
    "surfaces",
    "tokens",
    "words",
    "written_in",
]
