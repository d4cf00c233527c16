"""Sentences that no two are alike, made without a model: for tests of corpora."""

from __future__ import annotations

import random

_WHO = {
    "de": "Die alte Frau,Der junge Arzt,Mein Bruder,Ihre Nachbarin,Das kleine Kind,Ein Fischer",
    "en": "The old woman,The young doctor,My brother,Her neighbour,The small child,A fisherman",
}
_DOES = {
    "de": "wartet,liest,kocht,singt,schläft,arbeitet,zeichnet,träumt",
    "en": "waits,reads,cooks,sings,sleeps,works,draws,dreams",
}
_WHERE = {
    "de": "am Fenster,im Garten hinter dem Haus,auf der Brücke,in der Küche,unter dem Baum,am Meer",
    "en": "by the window,in the garden behind the house,on the bridge,in the kitchen,under the tree"
    ",by the sea",
}
_WHEN = {
    "de": "seit dem frühen Morgen,weil es draußen regnet,bis der Zug nach Ulm kommt"
    ",während die anderen schon essen,obwohl es längst dunkel ist",
    "en": "since the early morning,because it is raining outside,until the train to Ulm comes"
    ",while the others are eating already,although it has long been dark",
}


def made_pairs(count: int, seed: int = 1) -> list[tuple[str, str]]:
    """German sentences with their English translations; each has a number of its own."""
    draw, rows = random.Random(seed), []
    for n in range(count):
        parts = [(table, draw.randrange(table["de"].count(",") + 1)) for table in _PARTS]
        de, en = (" ".join(table[c].split(",")[at] for table, at in parts) for c in ("de", "en"))
        number = 100 + n + 100_000 * seed
        rows.append((f"{de}, Haus {number}.", f"{en}, house {number}."))
    return rows


_PARTS = (_WHO, _DOES, _WHERE, _WHEN)
