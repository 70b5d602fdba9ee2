"use strict";
/* The map of the report: unpacks the lines, draws them on a canvas, answers to the pointer. */
(() => {
  const facts = JSON.parse(document.getElementById("facts").textContent);
  const map = document.getElementById("map");
  const canvas = document.getElementById("canvas");
  const tip = document.getElementById("tip");
  const state = document.getElementById("state");
  const pen = canvas.getContext("2d");
  const WORDS = ["unmatched", "partly matched", "fully matched"];
  const COLOURS = ["--none", "--part", "--full"];
  const DASHES = [[1.5, 3], [7, 4], []];
  const shown = [true, true, true];
  let roads = null;
  let view = { x: 0, y: 0, scale: 1 };
  let chosen = -1;

  async function unpack() {
    const text = document.getElementById("packed").textContent.trim();
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  function integers(bytes, at, count) {
    const out = new Int32Array(count);
    const a = at, b = at + count, c = at + 2 * count, d = at + 3 * count;
    for (let i = 0; i < count; i++) {
      out[i] = bytes[a + i] | (bytes[b + i] << 8) | (bytes[c + i] << 16) | (bytes[d + i] << 24);
    }
    return out;
  }

  function mercator(latitude) {
    const sine = Math.sin(Math.max(Math.min(latitude, 85), -85) * Math.PI / 180);
    return -Math.log((1 + sine) / (1 - sine)) / 2 * 180 / Math.PI;
  }

  function lay(bytes) {
    const n = facts.shown, vertices = facts.vertices;
    let at = 0;
    const counts = new Uint16Array(bytes.slice(at, at += 2 * n).buffer);
    const status = bytes.subarray(at, at += n);
    const confidence = bytes.subarray(at, at += n);
    const reason = bytes.subarray(at, at += n);
    const first = integers(bytes, at, 2 * n); at += 8 * n;
    const steps = integers(bytes, at, 2 * (vertices - n)); at += 8 * (vertices - n);
    const texts = new TextDecoder().decode(bytes.subarray(at, at + facts.texts)).split("\n");
    const x = new Float64Array(vertices), y = new Float64Array(vertices);
    const start = new Uint32Array(n + 1);
    const box = new Float64Array(4 * n);
    let v = 0, s = 0;
    for (let i = 0; i < n; i++) {
      let lon = first[2 * i], lat = first[2 * i + 1];
      let west = Infinity, south = Infinity, east = -Infinity, north = -Infinity;
      start[i] = v;
      for (let k = 0; k < counts[i]; k++, v++) {
        if (k > 0) { lon += steps[s++]; lat += steps[s++]; }
        const px = lon * 1e-6, py = mercator(lat * 1e-6);
        x[v] = px; y[v] = py;
        if (px < west) west = px;
        if (px > east) east = px;
        if (py < south) south = py;
        if (py > north) north = py;
      }
      box.set([west, south, east, north], 4 * i);
    }
    start[n] = v;
    return { n, x, y, start, box, status, confidence, reason, ids: texts.slice(0, n), gers: texts.slice(n) };
  }

  function extent(from, to) {
    const out = [Infinity, Infinity, -Infinity, -Infinity];
    for (let i = from; i < to; i++) {
      const b = roads.box;
      out[0] = Math.min(out[0], b[4 * i]); out[1] = Math.min(out[1], b[4 * i + 1]);
      out[2] = Math.max(out[2], b[4 * i + 2]); out[3] = Math.max(out[3], b[4 * i + 3]);
    }
    return out;
  }

  function show(box, room) {
    const width = map.clientWidth, height = map.clientHeight;
    const scale = room * Math.min(width / Math.max(box[2] - box[0], 1e-7), height / Math.max(box[3] - box[1], 1e-7));
    view = { scale: Math.min(scale, 3e6), x: (box[0] + box[2]) / 2, y: (box[1] + box[3]) / 2 };
    draw();
  }

  /* A grid of the boxes, so that the pointer looks at a few roads only. */
  function gridOf() {
    const side = Math.max(1, Math.min(512, Math.ceil(Math.sqrt(roads.n))));
    const all = extent(0, roads.n);
    const w = (all[2] - all[0]) / side || 1, h = (all[3] - all[1]) / side || 1;
    const cells = new Map();
    const range = (low, high, from, step) => [
      Math.max(0, Math.floor((low - from) / step)), Math.min(side - 1, Math.floor((high - from) / step))];
    for (let i = 0; i < roads.n; i++) {
      const [c0, c1] = range(roads.box[4 * i], roads.box[4 * i + 2], all[0], w);
      const [r0, r1] = range(roads.box[4 * i + 1], roads.box[4 * i + 3], all[1], h);
      for (let r = r0; r <= r1; r++) for (let c = c0; c <= c1; c++) {
        const key = r * side + c;
        if (!cells.has(key)) cells.set(key, []);
        cells.get(key).push(i);
      }
    }
    return (px, py, reach) => {
      const [c0, c1] = range(px - reach, px + reach, all[0], w);
      const [r0, r1] = range(py - reach, py + reach, all[1], h);
      const found = new Set();
      for (let r = r0; r <= r1; r++) for (let c = c0; c <= c1; c++) {
        for (const i of cells.get(r * side + c) || []) found.add(i);
      }
      return found;
    };
  }

  let near = null;
  function pick(px, py) {
    const reach = 8 / view.scale;
    let best = -1, least = reach * reach;
    for (const i of near(px, py, reach)) {
      if (!shown[roads.status[i]]) continue;
      for (let v = roads.start[i]; v < roads.start[i + 1] - 1; v++) {
        const ax = roads.x[v], ay = roads.y[v], dx = roads.x[v + 1] - ax, dy = roads.y[v + 1] - ay;
        const t = Math.max(0, Math.min(1, ((px - ax) * dx + (py - ay) * dy) / (dx * dx + dy * dy || 1)));
        const ox = px - ax - t * dx, oy = py - ay - t * dy;
        if (ox * ox + oy * oy < least) { least = ox * ox + oy * oy; best = i; }
      }
    }
    return best;
  }

  let asked = false;
  function draw() {
    if (asked || !roads) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; paint(); });
  }

  function line(i, ox, oy, scale) {
    let lx = NaN, ly = NaN;
    const last = roads.start[i + 1] - 1;
    for (let v = roads.start[i]; v <= last; v++) {
      const px = (roads.x[v] - ox) * scale, py = (roads.y[v] - oy) * scale;
      if (v === roads.start[i]) { pen.moveTo(px, py); lx = px; ly = py; continue; }
      if (v < last && Math.abs(px - lx) + Math.abs(py - ly) < 1.5) continue;
      pen.lineTo(px, py); lx = px; ly = py;
    }
  }

  function paint() {
    const ratio = window.devicePixelRatio || 1;
    const width = map.clientWidth, height = map.clientHeight;
    if (canvas.width !== width * ratio || canvas.height !== height * ratio) {
      canvas.width = width * ratio; canvas.height = height * ratio;
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const style = getComputedStyle(document.documentElement);
    const scale = view.scale, ox = view.x - width / 2 / scale, oy = view.y - height / 2 / scale;
    const east = ox + width / scale, south = oy + height / scale;
    const near = scale > 2e4;  /* close enough that dashes can be told apart */
    pen.lineCap = near ? "butt" : "round";
    pen.lineJoin = "round";
    for (const kind of [2, 1, 0]) {
      if (!shown[kind]) continue;
      pen.beginPath();
      for (let i = 0; i < roads.n; i++) {
        if (roads.status[i] !== kind) continue;
        const b = 4 * i;
        if (roads.box[b] > east || roads.box[b + 2] < ox || roads.box[b + 1] > south || roads.box[b + 3] < oy) continue;
        line(i, ox, oy, scale);
      }
      pen.strokeStyle = style.getPropertyValue(COLOURS[kind]);
      pen.lineWidth = Math.max(0.7, Math.min(3.2, scale / 16000)) * (kind === 2 ? 1 : 1.35);
      pen.setLineDash(near ? DASHES[kind] : []);
      pen.stroke();
    }
    if (chosen >= 0) {
      pen.setLineDash([]); pen.beginPath(); line(chosen, ox, oy, scale);
      pen.strokeStyle = style.getPropertyValue("--accent"); pen.globalAlpha = 0.45; pen.lineWidth = 9; pen.stroke();
      pen.globalAlpha = 1;
    }
    ruler();
  }

  function ruler() {
    const latitude = (2 * Math.atan(Math.exp(-view.y * Math.PI / 180)) - Math.PI / 2);
    const metres = 111319.49 * Math.cos(latitude) / view.scale;
    let length = 1;
    while (length * 10 / metres < 110) length *= 10;
    for (const step of [5, 2]) if (length * step / metres < 110) { length *= step; break; }
    const bar = document.getElementById("scale");
    bar.style.width = `${length / metres}px`;
    bar.textContent = length >= 1000 ? `${length / 1000} km` : `${length} m`;
  }

  function tell(i, px, py) {
    chosen = i;
    tip.hidden = i < 0;
    if (i < 0) return;
    const kind = roads.status[i];
    tip.textContent = "";
    const add = (tag, text, name) => { const e = document.createElement(tag); e.textContent = text; if (name) e.className = name; tip.append(e); };
    add("b", roads.ids[i]);
    add("span", WORDS[kind], `s${kind}`);
    add("span", roads.confidence[i] ? `, best confidence ${roads.confidence[i]}` : "");
    const why = facts.reasons[roads.reason[i]];
    if (why) add("div", why);
    const ids = roads.gers[i] ? roads.gers[i].split(",") : [];
    for (const id of ids.slice(0, 4)) if (id.length > 8) add("code", id);
    const width = map.clientWidth, height = map.clientHeight;
    tip.style.left = `${Math.max(6, Math.min(px + 16, width - tip.offsetWidth - 8))}px`;
    tip.style.top = `${py + 20 + tip.offsetHeight > height ? Math.max(6, py - tip.offsetHeight - 12) : py + 16}px`;
  }

  const place = (event) => {
    const at = map.getBoundingClientRect();
    const px = event.clientX - at.left, py = event.clientY - at.top;
    return [px, py, view.x + (px - map.clientWidth / 2) / view.scale, view.y + (py - map.clientHeight / 2) / view.scale];
  };

  function zoom(factor, x = view.x, y = view.y) {
    const scale = Math.max(1, Math.min(view.scale * factor, 3e6));
    const real = scale / view.scale;
    view = { scale, x: x - (x - view.x) / real, y: y - (y - view.y) / real };
    draw();
  }

  function listen() {
    const pointers = new Map();
    map.addEventListener("pointerdown", (e) => {
      if (e.target !== canvas && e.target !== map) return;
      map.setPointerCapture(e.pointerId); pointers.set(e.pointerId, e);
    });
    map.addEventListener("pointermove", (e) => {
      const [px, py, x, y] = place(e);
      const before = pointers.get(e.pointerId);
      if (!before) {
        const i = e.target === canvas || e.target === map ? pick(x, y) : -1;
        if (i !== chosen || i >= 0) { tell(i, px, py); draw(); }
        return;
      }
      if (pointers.size === 2) {
        const other = [...pointers.values()].find((p) => p.pointerId !== e.pointerId);
        const gap = (p) => Math.hypot(p.clientX - other.clientX, p.clientY - other.clientY);
        zoom(gap(e) / Math.max(gap(before), 1), x, y);
      } else {
        view.x -= (e.clientX - before.clientX) / view.scale;
        view.y -= (e.clientY - before.clientY) / view.scale;
      }
      pointers.set(e.pointerId, e); tell(-1); draw();
    });
    for (const name of ["pointerup", "pointercancel"]) map.addEventListener(name, (e) => pointers.delete(e.pointerId));
    map.addEventListener("pointerleave", () => { tell(-1); draw(); });
    map.addEventListener("wheel", (e) => {
      e.preventDefault();
      const [, , x, y] = place(e);
      zoom(Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.0016)), x, y);
    }, { passive: false });
    map.addEventListener("keydown", (e) => {
      if (e.target !== map) return;
      const step = 80 / view.scale;
      const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
      if (moves[e.key]) { view.x += moves[e.key][0]; view.y += moves[e.key][1]; draw(); }
      else if (e.key === "+" || e.key === "=") zoom(1.5);
      else if (e.key === "-") zoom(1 / 1.5);
      else if (e.key === "0") show(extent(0, roads.n), 0.94);
      else return;
      e.preventDefault();
    });
    document.getElementById("in").onclick = () => zoom(1.6);
    document.getElementById("out").onclick = () => zoom(1 / 1.6);
    document.getElementById("fit").onclick = () => show(extent(0, roads.n), 0.94);
    for (const box of document.querySelectorAll(".legend input")) {
      box.onchange = () => { shown[Number(box.value)] = box.checked; draw(); };
    }
    document.getElementById("find").onsubmit = (e) => {
      e.preventDefault();
      const query = document.getElementById("query");
      const i = roads.ids.indexOf(query.value.trim());
      query.setCustomValidity(i < 0 ? "No such road on this map" : "");
      query.reportValidity();
      if (i < 0) return;
      show(extent(i, i + 1), 0.4);
      tell(i, map.clientWidth / 2, map.clientHeight / 2);
    };
    document.getElementById("query").oninput = (e) => e.target.setCustomValidity("");
    new ResizeObserver(draw).observe(map);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  }

  document.getElementById("theme").onclick = () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    draw();
  };

  unpack().then((bytes) => {
    roads = lay(bytes);
    near = gridOf();
    listen();
    state.hidden = true;
    state.style.display = "none";
    if (roads.n) show(extent(0, roads.n), 0.94);
    map.dataset.roads = roads.n;  /* for whoever waits until the map is there */
  }).catch((error) => { state.textContent = `The map could not be unpacked: ${error.message}`; });
})();
