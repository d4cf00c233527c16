// The axes of a plot: round numbers, and where a value lies in the drawing.

const SPACE = { left: 52, right: 14, top: 20, bottom: 26 };
const HEIGHT = 220;

// About `count` round numbers between two others.
const niceTicks = (low, high, count) => {
  const base = 10 ** Math.floor(Math.log10((high - low) / count));
  const times = [1, 2, 5, 10].find((n) => (high - low) / (base * n) <= count);
  const step = base * times;
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n <= high / step + 1e-9; n += 1) found.push(Number((n * step).toPrecision(12)));
  return found;
};

// From 0 where the values come near it, and never of no height.
const rangeOf = (values) => {
  const [least, most] = values.reduce(([low, high], y) => [Math.min(low, y), Math.max(high, y)], [Infinity, -Infinity]);
  const low = least > 0 && least < 0.4 * most ? 0 : least;
  const room = (most - low) * 0.06 || Math.abs(most) * 0.1 || 1;
  return [low === 0 ? 0 : low - room, most + room];
};

const scaleOf = (width, right, [low, high]) => {
  const wide = width - SPACE.left - SPACE.right;
  const tall = HEIGHT - SPACE.top - SPACE.bottom;
  return {
    x: (x) => SPACE.left + (x / right) * wide,
    y: (y) => HEIGHT - SPACE.bottom - ((y - low) / (high - low)) * tall,
    step: (px) => ((px - SPACE.left) / wide) * right,
  };
};

const svgOf = (tag, attributes, text = '') => {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text) made.textContent = text;
  return made;
};

const drawAxes = (svg, scale, width, right, [low, high]) => {
  for (const y of niceTicks(low, high, 5)) {
    const at = scale.y(y);
    svg.append(svgOf('line', { class: 'ctx-grid', x1: SPACE.left, x2: width - SPACE.right, y1: at, y2: at }));
    svg.append(svgOf('text', { x: SPACE.left - 8, y: at + 4, 'text-anchor': 'end' }, shortText(y)));
  }
  for (const x of niceTicks(0, right, width < 420 ? 4 : 6)) {
    if (Number.isInteger(x)) svg.append(svgOf('text', { x: scale.x(x), y: HEIGHT - 6, 'text-anchor': 'middle' }, shortText(x)));
  }
};

// At most about `most` points: of each stretch the lowest and the highest, so that no spike is lost.
const thinned = (points, most) => {
  if (points.length <= most) return points;
  const size = Math.ceil(points.length / Math.max(1, most / 2 - 1));
  const kept = [points[0]];
  for (let i = 0; i < points.length; i += size) {
    const stretch = points.slice(i, i + size);
    const low = stretch.reduce((a, b) => (b[1] < a[1] ? b : a));
    const high = stretch.reduce((a, b) => (b[1] > a[1] ? b : a));
    kept.push(...(low[0] <= high[0] ? [low, high] : [high, low]).filter((p) => p !== kept.at(-1)));
  }
  if (kept.at(-1) !== points.at(-1)) kept.push(points.at(-1));
  return kept;
};
