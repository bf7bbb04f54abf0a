import pytest

from bot.sources.charset import to_text
from tests.hostile.documents import CYRILLIC, GERMAN, encoded

ARABIC = "قال مصدر محلي إن القصف استهدف ريف إدلب الجنوبي منذ ساعات الصباح"
CHINESE = "中国外交部发言人周一在例行记者会上就叙利亚局势回答记者提问"
JAPANESE = "シリア北西部のイドリブ県で空爆があり、住民が避難しました"
GREEK = "Ο πρωθυπουργός δήλωσε ότι οι συνομιλίες θα συνεχιστούν"
KOREAN = "시리아 북서부 이들리브에서 공습이 있었다고 현지 주민들이 말했다"


@pytest.mark.parametrize(
    ("encoding", "text", "declared", "content_type"),
    [
        # declared truly, in the document or by the server
        ("utf-8", CYRILLIC, "utf-8", ""),
        ("windows-1251", CYRILLIC, "windows-1251", ""),
        ("koi8-r", CYRILLIC, "koi8-r", "text/xml"),
        ("windows-1251", CYRILLIC, "", "text/xml; charset=windows-1251"),
        ("windows-1251", CYRILLIC, "windows-1251", "text/xml; charset=ISO-8859-1"),
        ("koi8-r", CYRILLIC, "windows-1251", "text/xml; charset=koi8-r"),
        ("windows-1252", GERMAN, "iso-8859-1", ""),
        ("windows-1252", "STRASSENSPERRE: Ölbindearbeiten in Gössental, Straße frei", "iso-8859-1", ""),
        ("windows-1252", "Mãe de utente é a nova presidente da Raríssimas, reações dos partidos", "iso-8859-1", ""),
        ("windows-1252", "SVART MÅNAD - DÖDSOLYCKA i Vetlanda, två män omkom", "", "text/xml; charset=iso-8859-1"),
        ("windows-1252", "Stéphane Gumpper : où es-tu ? De la psychose maniaco-dépressive", "", ""),
        ("iso-2022-jp", JAPANESE, "iso-2022-jp", ""),
        ("gbk", CHINESE, "gb2312", ""),
        ("shift_jis", JAPANESE, "Shift_JIS", ""),
        # not declared
        ("utf-8", CYRILLIC, "", "text/xml"),
        ("utf-8-sig", CYRILLIC, "", ""),
        ("utf-16", CYRILLIC, "", ""),
        ("utf-16-le", CYRILLIC, "utf-16", ""),
        ("utf-16-be", CYRILLIC, "utf-16", ""),
        ("utf-32", CYRILLIC, "", ""),
        ("windows-1251", CYRILLIC, "", ""),
        ("koi8-r", CYRILLIC, "", ""),
        ("windows-1256", ARABIC, "", ""),
        ("windows-1253", GREEK, "", ""),
        ("windows-1252", GERMAN, "", ""),
        ("gb18030", CHINESE, "", ""),
        ("shift_jis", JAPANESE, "", ""),
        ("euc-kr", KOREAN, "", ""),
        # declared falsely
        ("utf-8", CYRILLIC, "iso-8859-1", "text/xml; charset=windows-1252"),
        ("utf-8", GERMAN, "windows-1251", ""),
        ("windows-1251", CYRILLIC, "utf-8", "text/xml; charset=utf-8"),
        ("windows-1252", GERMAN, "utf-8", ""),
        ("windows-1251", CYRILLIC, "utf-16", ""),
        ("utf-8", CYRILLIC, "no-such-encoding", "text/xml; charset=nonsense"),
        ("windows-1251", CYRILLIC, "us-ascii", ""),
    ],
)
def test_row_16_encodings(encoding: str, text: str, declared: str, content_type: str) -> None:
    """Row 16: whatever the labels say or leave out, people read the headline."""
    read, _ = to_text(encoded(encoding, text, declared), content_type)
    assert text in read


def test_row_16_a_few_bad_bytes() -> None:
    """Row 16: a cut character in UTF-8 costs that character, not the document."""
    body = encoded("utf-8", CYRILLIC) + "Идлиб".encode()[:-1]
    text, note = to_text(body, "")
    assert CYRILLIC in text
    assert text.count("\ufffd") == 1
    assert note == "some bytes are not valid UTF-8"


def test_row_16_noise() -> None:
    """Row 16: bytes that are no text at all give a string, whatever it says."""
    for body in (bytes(range(256)) * 10, b"\xff\xfe\x00", b"\xff" * 1001, b"<\x00", b""):
        text, _ = to_text(body, "text/xml; charset=utf-8")
        assert isinstance(text, str)
