"""Everything people read, in English and Chinese with the same keys; `{name}` is filled in later.

The page gets both tables and chooses, so that changing the language asks the server nothing.
"""

from __future__ import annotations

from ui.strings.bring import BRING
from ui.strings.compare import COMPARE
from ui.strings.data import DATA
from ui.strings.en import EN
from ui.strings.label import LABEL
from ui.strings.models import MODELS
from ui.strings.pairs import PAIR_TEXTS
from ui.strings.quantise import QUANTISE
from ui.strings.scratch import SCRATCH
from ui.strings.scratch_fields import SCRATCH_FIELDS
from ui.strings.smaller import SMALLER
from ui.strings.teacher import TEACHER
from ui.strings.train import TRAIN
from ui.strings.train_fields import TRAIN_FIELDS
from ui.strings.zh_cn import ZH_CN

_PAIRS: dict[str, tuple[str, str]] = {
    **LABEL,
    **BRING,
    **DATA,
    **TEACHER,
    **SCRATCH_FIELDS,
    **SCRATCH,
    **TRAIN,
    **TRAIN_FIELDS,
    **COMPARE,
    **SMALLER,
    **QUANTISE,
    **MODELS,
    **PAIR_TEXTS,
}
STRINGS: dict[str, dict[str, str]] = {
    "en": EN | {key: english for key, (english, _) in _PAIRS.items()},
    "zh-CN": ZH_CN | {key: chinese for key, (_, chinese) in _PAIRS.items()},
}
