// On a phone the card is a sheet at the bottom. It never covers the word it speaks of.

const keepInView = (word) => {
  if (!word) return;
  requestAnimationFrame(() => {
    const box = word.getBoundingClientRect();
    const floor = isPhone() ? card.getBoundingClientRect().top : innerHeight;
    const below = box.bottom + 24 - floor;
    const above = box.top - 24;
    if (below > 0) scrollBy({ top: below + (isPhone() ? 0 : innerHeight / 3), behavior: 'instant' });
    else if (above < 0) scrollBy({ top: above - innerHeight / 4, behavior: 'instant' });
  });
};

// Pulling the grip down closes the sheet.
const grip = one('.ctx-grip');
let pulledFrom = null;
grip.addEventListener('pointerdown', (event) => {
  pulledFrom = event.clientY;
  grip.setPointerCapture(event.pointerId);
});
grip.addEventListener('pointermove', (event) => {
  if (pulledFrom === null) return;
  const pulled = Math.max(0, event.clientY - pulledFrom);
  card.style.transform = `translateY(${pulled}px)`;
});
const letGo = (event) => {
  const pulled = pulledFrom === null ? 0 : event.clientY - pulledFrom;
  pulledFrom = null;
  card.style.transform = '';
  if (pulled > 60) closeCard();
};
grip.addEventListener('pointerup', letGo);
grip.addEventListener('pointercancel', letGo);
