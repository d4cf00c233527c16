// Quality against milliseconds an answer: one point a model, its interval a line. Up and to the left
// is better.

const drawing = one('.ctx-drawing');

const paintScatter = () => {
  const models = shownSplit()?.models ?? [];
  const width = Math.round(drawing.clientWidth);
  if (!models.length || !width) return;
  one('.ctx-scatter figcaption').textContent = t('scatter_title');
  one('.ctx-scatter .ctx-readout').textContent = t('scatter_how');
  const range = rangeOf(models.flatMap((model) => [model.score, ...(model.interval ?? [])]));
  const right = Math.max(...models.map((model) => model.ms)) * 1.15 || 1;
  const scale = scaleOf(width, right, range);
  const svg = svgOf('svg', { viewBox: `0 0 ${width} ${HEIGHT + 22}`, height: HEIGHT + 22, role: 'img', 'aria-label': t('scatter_title') });
  drawAxes(svg, scale, width, right, range);
  svg.append(svgOf('text', { x: width - SPACE.right, y: HEIGHT + 14, 'text-anchor': 'end' }, t('board_ms')));
  drawing.replaceChildren(svg);
  const taken = models.map((model) => ({ x: scale.x(model.ms) - 7, y: scale.y(model.score) - 7, width: 14, height: 14 }));
  models.forEach((model, i) => drawModel(svg, scale, width, model, i, taken));
};

// Names that would stand on each other stand below each other.
const drawModel = (svg, scale, width, model, i, taken) => {
  const [x, y] = [scale.x(model.ms), scale.y(model.score)];
  const colour = `ctx-c${i % 8}`;
  if (model.interval) {
    const [low, high] = model.interval.map((value) => scale.y(value));
    svg.append(svgOf('line', { class: `ctx-whisker ${colour}`, x1: x, x2: x, y1: low, y2: high }));
  }
  const point = svgOf('circle', { class: `ctx-point ${colour}`, cx: x, cy: y, r: 6 });
  point.append(svgOf('title', {}, `${modelName(model)}: ${scoreText(model.score)}, ${shortText(model.ms)} ms`));
  const left = x > width * 0.6;
  const name = svgOf('text', { class: 'ctx-point-name', x: left ? x - 12 : x + 12, y: y + 4, 'text-anchor': left ? 'end' : 'start' }, modelName(model));
  svg.append(point, name);
  taken.push(moveDown(name, taken));
};

const moveDown = (name, taken) => {
  const boxOf = () => name.getBBox();
  const hits = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
  for (let tries = 0; tries < 8 && taken.some((other) => hits(boxOf(), other)); tries += 1) {
    name.setAttribute('y', Number(name.getAttribute('y')) + 14);
  }
  return boxOf();
};

new ResizeObserver(paintScatter).observe(drawing);
