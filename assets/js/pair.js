// Pairs of languages by their codes: names in the reader's language, which the browser knows, and
// what an element in one of the two languages says of itself.

const USUAL_PAIR = 'en-zh';

const sourceOf = (pair) => pair.split('-')[0];
const targetOf = (pair) => pair.split('-')[1];

const languageName = (code) => {
  try {
    return new Intl.DisplayNames([language], { type: 'language' }).of(code);
  } catch {
    return code;
  }
};

// A text in one language is of no pair, but of that language.
const pairName = (pair) => pair.split('-').map(languageName).join(' → ');

// Fonts and screen readers need to know which Chinese it is.
const languageTag = (code) => (code === 'zh' ? 'zh-CN' : code);

// The pair that is labelled, trained and compared, chosen above the views of those tabs.
const workPair = () => recall('work-pair') ?? USUAL_PAIR;
const sourceTag = (pair = workPair()) => languageTag(sourceOf(pair));
const targetTag = (pair = workPair()) => languageTag(targetOf(pair));

// Everything below `part` that is in the pair's source or target language says so.
const markLanguages = (part, pair) => {
  part.querySelectorAll('[data-lang]').forEach((e) => {
    e.lang = languageTag(e.dataset.lang === 'source' ? sourceOf(pair) : targetOf(pair));
  });
};

const fillPairs = (field, pairs, chosen) => {
  const options = pairs.map((pair) => {
    const option = make('option', '', pairName(pair));
    option.value = pair;
    return option;
  });
  field.replaceChildren(...options);
  field.value = chosen;
};
