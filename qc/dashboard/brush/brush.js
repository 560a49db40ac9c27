// Parallel coordinates: drag along an axis to choose a range, click it to let it go.
const TOP = 44, BOTTOM = 26, SIDE = 70, HALF = 14, CLICK = 4;
const SVG = "http://www.w3.org/2000/svg";
const kept = new WeakMap();

export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const host = parentElement.querySelector(".parallel");
  const state = kept.get(parentElement) ?? { ranges: {} };
  kept.set(parentElement, state);
  const canvas = host.querySelector("canvas"), svg = host.querySelector("svg");
  const tell = () => setStateValue("ranges", state.ranges);

  const draw = () => {
    const width = host.clientWidth, height = host.clientHeight;
    if (!width) return;
    const x = (i) => SIDE + (i * (width - 2 * SIDE)) / Math.max(1, data.axes.length - 1);
    const y = (axis, v) => height - BOTTOM - ((v - axis.low) / (axis.high - axis.low)) * (height - TOP - BOTTOM);
    const value = (axis, py) =>
      axis.low + ((height - BOTTOM - py) / (height - TOP - BOTTOM)) * (axis.high - axis.low);
    drawLines(canvas, width, height, data, state.ranges, x, y, getComputedStyle(host));
    svg.replaceChildren();
    data.axes.forEach((axis, i) => drawAxis(svg, axis, x(i), height, (v) => y(axis, v), (py) => value(axis, py), state, draw, tell));
  };

  const observer = new ResizeObserver(draw);
  observer.observe(host);
  draw();
  return () => observer.disconnect();
}

function drawLines(canvas, width, height, data, ranges, x, y, style) {
  const scale = window.devicePixelRatio || 1;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const inside = (row) =>
    data.axes.every((axis, i) => {
      const range = ranges[axis.name];
      return !range || (row[i] !== null && row[i] >= range[0] && row[i] <= range[1]);
    });
  const chosen = data.rows.map(inside);
  const strength = Math.min(0.55, Math.max(0.06, 40 / Math.max(1, data.rows.length)));
  for (const pass of [false, true]) {
    pen.strokeStyle = style.getPropertyValue(pass ? "--st-primary-color" : "--st-border-color") || "#888";
    pen.globalAlpha = pass ? Math.min(0.8, strength * 2.2) : strength;
    pen.lineWidth = pass ? 1.3 : 1;
    data.rows.forEach((row, r) => {
      if (chosen[r] !== pass) return;
      pen.beginPath();
      let isDown = false;
      data.axes.forEach((axis, i) => {
        if (row[i] === null) { isDown = false; return; }
        const px = x(i), py = y(axis, row[i]);
        if (isDown) pen.lineTo(px, py); else pen.moveTo(px, py);
        isDown = true;
      });
      pen.stroke();
    });
  }
}

function drawAxis(svg, axis, x, height, y, value, state, draw, tell) {
  const add = (name, attributes, text) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, v] of Object.entries(attributes)) element.setAttribute(key, v);
    if (text !== undefined) element.textContent = text;
    svg.append(element);
    return element;
  };
  add("line", { class: "axis", x1: x, x2: x, y1: TOP, y2: height - BOTTOM });
  add("text", { x, y: 16, "text-anchor": "middle" }, axis.title);
  add("text", { x, y: 34, "text-anchor": "middle" }, short(axis.high));
  add("text", { x, y: height - 8, "text-anchor": "middle" }, short(axis.low));
  const range = state.ranges[axis.name];
  if (range) {
    const top = y(range[1]), bottom = y(range[0]);
    add("rect", { class: "range", x: x - HALF, width: 2 * HALF, y: top, height: Math.max(2, bottom - top) });
  }
  const hit = add("rect", { class: "hit", x: x - HALF, width: 2 * HALF, y: TOP - 8, height: height - TOP - BOTTOM + 16 });
  hit.addEventListener("pointerdown", (down) => {
    down.preventDefault();
    const box = svg.getBoundingClientRect(), from = down.clientY - box.top;
    const move = (event) => {
      const to = event.clientY - box.top;
      if (Math.abs(to - from) < CLICK) delete state.ranges[axis.name];
      else {
        const clip = (v) => Math.min(axis.high, Math.max(axis.low, v));
        state.ranges[axis.name] = [clip(value(Math.max(from, to))), clip(value(Math.min(from, to)))];
      }
      draw();
    };
    const up = (event) => {
      move(event);
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", up);
      tell();
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", up);
  });
}

function short(v) {
  return Math.abs(v) >= 100 ? v.toFixed(0) : Math.abs(v) >= 10 ? v.toFixed(1) : v.toFixed(2);
}
