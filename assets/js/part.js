// Small things the scripts of every page part use. Texts from people go through `make` and textContent.

const root = element.querySelector('.ctx-part');
const one = (selector) => root.querySelector(selector);

const make = (tag, className, text = '') => {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
};

const isPhone = () => matchMedia('(max-width: 760px)').matches;

let toastTimer = 0;
const toast = (text) => {
  clearTimeout(toastTimer);
  one('.ctx-toast').textContent = text;
  toastTimer = setTimeout(() => {
    one('.ctx-toast').textContent = '';
  }, 6000);
};

// A refusal in the reader's language.
const errorText = (reply) => t('error_' + reply.error, reply) || t('error_unknown', { code: reply.error });

const copyText = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Over plain http from another machine there is no clipboard object: copy from a field.
    const field = make('textarea', 'ctx-away', text);
    field.value = text;
    root.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    return done;
  }
};
