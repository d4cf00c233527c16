// Points of what a model takes and what it is worth, with names and intervals: up and to the left is
// better. Needs the axes.

const POINT_COLOURS = 8;
const FEW = 5; // points whose names have room on a phone

// `points`: {x, y, low, high, name, told, open}; `low`, `high`: an interval, or none; `open` points are
// not filled; `i`: its number, where it is not its place; `across`: the name of the axis; `line`: a
// height to reach; `joined`: points to draw a line through. Many points on a phone have their numbers
// instead of names.
const paintScatter = (figure, { title, how, across, points, line, joined = [] }) => {
  const drawing = figure.querySelector('.ctx-drawing');
  figure.hidden = !points.length;
  const width = Math.round(drawing.clientWidth);
  if (!points.length || !width) return;
  figure.querySelector('figcaption').textContent = title;
  figure.querySelector('.ctx-readout').textContent = how;
  const heights = points.flatMap(({ y, low, high }) => [y, low, high].filter((value) => typeof value === 'number'));
  const range = rangeOf(line === undefined ? heights : [...heights, line]);
  const right = Math.max(...points.map((point) => point.x)) * 1.15 || 1;
  const scale = scaleOf(width, right, range);
  const svg = svgOf('svg', { viewBox: `0 0 ${width} ${HEIGHT + 22}`, height: HEIGHT + 22, role: 'img', 'aria-label': title });
  drawAxes(svg, scale, width, right, range);
  svg.append(svgOf('text', { x: width - SPACE.right, y: HEIGHT + 14, 'text-anchor': 'end' }, across));
  if (line !== undefined) {
    const y = scale.y(line);
    svg.append(svgOf('line', { class: 'ctx-mark-line', x1: SPACE.left, x2: width - SPACE.right, y1: y, y2: y }));
  }
  if (joined.length > 1) {
    const path = joined.map(({ x, y }, n) => `${n ? 'L' : 'M'}${scale.x(x)} ${scale.y(y)}`).join('');
    svg.append(svgOf('path', { class: 'ctx-frontier', d: path }));
  }
  drawing.replaceChildren(svg);
  const taken = points.map(({ x, y }) => ({ x: scale.x(x) - 7, y: scale.y(y) - 7, width: 14, height: 14 }));
  const isNamed = width > 520 || points.length <= FEW;
  points.forEach((point, place) => {
    const i = point.i ?? place;
    drawPoint(svg, scale, width, isNamed ? point : { ...point, name: whole(i + 1) }, i, taken);
  });
};

// Names that would stand on each other stand below each other.
const drawPoint = (svg, scale, width, { x: across, y: up, low, high, name, told, open }, i, taken) => {
  const [x, y] = [scale.x(across), scale.y(up)];
  const colour = `ctx-c${i % POINT_COLOURS}`;
  if (typeof low === 'number' && typeof high === 'number') {
    svg.append(svgOf('line', { class: `ctx-whisker ${colour}`, x1: x, x2: x, y1: scale.y(low), y2: scale.y(high) }));
  }
  const point = svgOf('circle', { class: `ctx-point ${colour}${open ? ' ctx-open' : ''}`, cx: x, cy: y, r: 6 });
  point.append(svgOf('title', {}, told));
  const left = x > width * 0.6;
  const text = svgOf('text', { class: 'ctx-point-name', x: left ? x - 12 : x + 12, y: y + 4, 'text-anchor': left ? 'end' : 'start' }, name);
  svg.append(point, text);
  taken.push(moveDown(text, taken));
};

const moveDown = (name, taken) => {
  const boxOf = () => name.getBBox();
  const hits = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
  for (let tries = 0; tries < 8 && taken.some((other) => hits(boxOf(), other)); tries += 1) {
    name.setAttribute('y', Number(name.getAttribute('y')) + 14);
  }
  return boxOf();
};

// A dot in the colour of the point with this number, for tables.
const dotOf = (i, open = false) => {
  const dot = svgOf('svg', { viewBox: '0 0 12 12', width: 12, height: 12, 'aria-hidden': 'true' });
  dot.append(svgOf('circle', { class: `ctx-point ctx-c${i % POINT_COLOURS}${open ? ' ctx-open' : ''}`, cx: 6, cy: 6, r: 5 }));
  return dot;
};
