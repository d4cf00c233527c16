// The interface language: the one chosen before, or else the browser's. Both page parts include it.

const recall = (key) => {
  try {
    return localStorage.getItem('ctx.' + key);
  } catch {
    return null; // storage is switched off: nothing is remembered, all else works
  }
};

const remember = (key, value) => {
  try {
    if (value === null) localStorage.removeItem('ctx.' + key);
    else localStorage.setItem('ctx.' + key, value);
  } catch {
    // Switched off, or full: as above.
  }
};

const findLanguage = () => {
  const chosen = recall('language');
  if (chosen in props.strings) return chosen;
  return (navigator.language || 'en').toLowerCase().startsWith('zh') ? 'zh-CN' : 'en';
};

let language = findLanguage();

// The text under `key`, with {name} filled from `values`; "" for a key that is not there.
const t = (key, values = {}) => {
  const text = props.strings[language][key] ?? '';
  return text.replace(/\{(\w+)\}/g, (all, name) => String(values[name] ?? ''));
};

// Fills the template's fixed texts: data-t, and data-t-label, -title, -placeholder.
const fillTexts = () => {
  element.querySelectorAll('[data-t]').forEach((e) => {
    e.textContent = t(e.dataset.t);
  });
  const attributes = { tLabel: 'aria-label', tTitle: 'title', tPlaceholder: 'placeholder' };
  for (const [name, attribute] of Object.entries(attributes)) {
    const mark = attribute === 'aria-label' ? 'label' : attribute;
    element.querySelectorAll(`[data-t-${mark}]`).forEach((e) => {
      e.setAttribute(attribute, t(e.dataset[name]));
    });
  }
};
