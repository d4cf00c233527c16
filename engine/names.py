"""Languages by their codes, as prompts and people name them in English. Pure."""

from __future__ import annotations

from engine.sense import QueryError

# The first six have adapters that ship, any can have one that is brought in.
LANGUAGES = {
    "en": "English", "zh": "Chinese", "es": "Spanish", "de": "German", "hi": "Hindi", "ta": "Tamil",
    "fr": "French", "it": "Italian", "pt": "Portuguese", "nl": "Dutch", "pl": "Polish",
    "ru": "Russian", "uk": "Ukrainian", "cs": "Czech", "sv": "Swedish", "da": "Danish",
    "fi": "Finnish", "ro": "Romanian", "hu": "Hungarian", "el": "Greek", "tr": "Turkish",
    "ar": "Arabic", "he": "Hebrew", "fa": "Persian", "ur": "Urdu", "bn": "Bengali", "te": "Telugu",
    "mr": "Marathi", "ja": "Japanese", "ko": "Korean", "th": "Thai", "vi": "Vietnamese",
    "id": "Indonesian",
}  # fmt: skip


def languages(pair: str) -> tuple[str, str]:
    """The English names of a pair's languages; QueryError where one is not known."""
    source, _, target = pair.partition("-")
    if source not in LANGUAGES or target not in LANGUAGES or source == target:
        raise QueryError("unknown_pair", pair=pair)
    return LANGUAGES[source], LANGUAGES[target]


def is_translated(pair: str) -> bool:
    """Whether both languages of a pair have names that a prompt can say."""
    source, _, target = pair.partition("-")
    return source != target and {source, target} <= set(LANGUAGES)
