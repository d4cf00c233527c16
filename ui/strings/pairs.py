"""Pairs of languages, translations of sentences, words that nobody answers yet: English and
Chinese side by side. Languages are named by the browser.
"""

from __future__ import annotations

PAIR_TEXTS: dict[str, tuple[str, str]] = {
    "pair": ("Languages", "语言"),
    "card_hint_whole": (
        "Click any word to see its sentence in {language}.",
        "点击任意单词，看它所在句子的{language}译文。",
    ),
    "card_hint_whole_phone": (
        "Tap any word to see its sentence in {language}.",
        "轻点任意单词，看它所在句子的{language}译文。",
    ),
    # another language than the pair's
    "other_language": (
        "This text looks like {found}, but it is being read as {read}.",
        "这篇文章看起来是{found}，现在却按{read}来读。",
    ),
    "other_language_none": (
        "This text looks like {found}. No pair here reads {found}, so what you get may be wrong.",
        "这篇文章看起来是{found}。这里没有从{found}翻译的语言对，结果可能不准。",
    ),
    "switch_pair": ("Read it as {pair}", "改为{pair}"),
    "keep_pair": ("Leave it", "不用改"),
    # a word that nobody answers
    "unanswered": (
        "Single words are not answered from {source} to {target} yet.",
        "还不能查{source}单词的{target}意思。",
    ),
    "unanswered_whole": (
        "Single words are not answered from {source} to {target} yet. "
        "The translation of the whole sentence is below.",
        "还不能查{source}单词的{target}意思，下面可以看整句的译文。",
    ),
    "my_meaning": ("Say what it means", "我来填意思"),
    "my_meaning_asked": ("What it means here", "它在这里的意思"),
    "my_meaning_how": (
        "in {language}; it goes to Label, where such words start a pair of their own",
        "用{language}；会进入“标注”，积累起来就能训练这个语言对",
    ),
    "thanks_label": (
        "Thank you. It waits to be looked at in",
        "谢谢，已记下，等待审核：",
    ),
    "thanks_label_link": ("Label, {pair}", "标注 · {pair}"),
    # the sentence's translation
    "whole": ("The sentence in translation", "整句译文"),
    "whole_writing": ("Translating…", "正在翻译……"),
    "whole_waiting": (
        "The translation comes as soon as its model is ready.",
        "模型就绪后立刻翻译。",
    ),
    "whole_nothing": ("The model wrote nothing for this sentence.", "模型没有给出这句话的译文。"),
    "copy_whole": ("Copy the translation", "复制译文"),
    "translated_with": ("Translated by", "译文来自"),
    "said_whole": ("Translation: {text}", "译文：{text}"),
    "help_whole": ("show or hide the sentence's translation", "显示或收起整句译文"),
    "error_whole_failed": ("This sentence could not be translated.", "这句话没能翻译出来。"),
    "error_pair_not_trained": (
        "Words of these languages can be collected and frozen here, but not learnt yet: "
        "how the second one is written is not known here.",
        "这个语言对的词可以在这里收集和固定，但还不能训练：这里不知道第二种语言怎样书写。",
    ),
    "is_told": (
        "A reader says what this word means. Nothing has answered it yet.",
        "有读者填了这个词的意思，此前还没有答案。",
    ),
    "event_told": ("said what it means", "填了意思"),
    "teacher_pair": (
        "In these languages a teacher behind a server answers words and translates sentences. Our own models answer, "
        "and sentences that show a phrase are written, for English → Chinese alone.",
        "在这个语言对里，服务器上的教师可以回答词语、翻译句子；本程序自己的模型回答词语、以及写例句，只适用于英译中。",
    ),
    "error_no_translation": ("There is no translation here.", "这里没有翻译功能。"),
    "error_unknown_pair": (
        "There is nothing here for these two languages any more. Choose others.",
        "这里已经没有这个语言对了，请另选一个。",
    ),
}
