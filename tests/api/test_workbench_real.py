"""The base beside the shipped adapter on the real model: answers as readers get them, and raw."""

from __future__ import annotations

from engine.sense import Query
from engine.settings import Settings
from engine.views import views
from engine.workbench import Workbench

CONTEXT = "They turned my application down."


def test_tuned_answers_are_the_readers_and_only_tuned_texts_end(models_home, engine):
    settings = Settings(home=models_home)
    bench = Workbench(settings)
    folders = [None, settings.adapter_folder]
    try:
        (base,), (tuned,) = bench.answers(folders, [(CONTEXT, None)])
        (view,) = views(CONTEXT, "en-zh")
        assert [tuned[i].sense for i in sorted(tuned)] == [a.sense for a in engine.answer(view)]
        assert tuned[1].sense.phrase and tuned[1].sense.phrase.members == (1, 4)
        assert [base[i].sense for i in sorted(base)] != [tuned[i].sense for i in sorted(tuned)]
        queries = [Query(CONTEXT, 1), Query(CONTEXT, 3)]
        rambling, ending = bench.write(folders, queries, most=24)
        assert all(one.ended and one.valid and one.tokens < 24 for one in ending)
        assert not any(one.ended for one in rambling)
        assert all(one.tokens == 24 for one in rambling)
    finally:
        bench.close()
    assert not bench.is_loaded
