"""Languages: the codes of those that a validator can tell, and the names that criteria use for common ones."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# ISO 639-1, as far as py3langid tells them: a check for another one could never be decided.
_CODES = (
    "af am an ar as az ba be bg bn br bs ca cs cy da de dz el en eo es et eu fa fi fo fr fy ga gd gl gu ha he hi "
    "hr ht hu hy id ig is it ja jv ka kk km kn ko ku ky la lb lg ln lo lt lv mg mk ml mn mr ms mt my ne nl nn no "
    "oc om or pa pl ps pt qu ro ru rw sa se si sk sl sn so sq sr st sv sw ta te tg th tk tl tr tt ug uk ur uz vi "
    "vo wa xh yo zh zu"
)
LANGUAGES = frozenset(_CODES.split(" "))

# Languages that are easily confused with a neighbour, such as Norwegian or Croatian, are left to a model.
CODE_OF_NAME: Mapping[str, str] = MappingProxyType(
    {
        "arabic": "ar", "chinese": "zh", "czech": "cs", "dutch": "nl", "english": "en", "finnish": "fi", "french": "fr",
        "german": "de", "greek": "el", "hebrew": "he", "hindi": "hi", "hungarian": "hu", "italian": "it",
        "japanese": "ja", "korean": "ko", "polish": "pl", "portuguese": "pt", "romanian": "ro", "russian": "ru",
        "spanish": "es", "swedish": "sv", "thai": "th", "turkish": "tr", "ukrainian": "uk", "vietnamese": "vi",
        "中文": "zh", "汉语": "zh", "英文": "en", "英语": "en", "德文": "de", "德语": "de", "法文": "fr", "法语": "fr",
        "日文": "ja", "日语": "ja", "韩文": "ko", "韩语": "ko", "俄文": "ru", "俄语": "ru", "西班牙文": "es",
        "西班牙语": "es", "意大利文": "it", "意大利语": "it", "葡萄牙文": "pt", "葡萄牙语": "pt", "阿拉伯文": "ar",
        "阿拉伯语": "ar",
    }
)  # fmt: skip
