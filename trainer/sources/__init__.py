"""Outside data as examples: one module a source, each says what it reads and what it refuses.

A reader yields examples and refusals, and knows nothing of models. `READERS` names the formats.
"""

from trainer.sources import streusle, tatoeba, teacher, wordnet

READERS = {
    "teacher": teacher.read,
    "wordnet": wordnet.read,
    "tatoeba": tatoeba.read,
    "streusle": streusle.read,
}
