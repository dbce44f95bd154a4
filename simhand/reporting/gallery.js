// The gallery of similar hands: filters, a list of which only what is in view is in the page, and a pair in its frames.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("gallery-data").textContent);
  const root = document.getElementById("gallery");
  const list = root.querySelector(".gallery-list");
  const inner = list.firstElementChild;
  const form = root.querySelector("form");
  const dialog = root.querySelector("dialog");
  const FINGERS = [1, 5, 9, 13, 17].map((first) => [0, first, first + 1, first + 2, first + 3]);
  const ROWS_BEYOND = 2; // rows drawn above and below those in view
  const GAP = 10, TILE_GAP = 6, QUERY_GAP = 8, CAPTION = 34, AROUND = 18; // px, as in page.css
  const SVG = root.querySelector("template").content.firstElementChild.namespaceURI;
  const SMALL = 0.2; // a hand's share of its frame's width below which it is drawn with thin lines
  const number = new Intl.NumberFormat("en");

  let entries = []; // what the filters leave: {place, query, pairs: [[rank, hand, distance], ...]}
  let steps = []; // the pairs of all entries in their order: {entry, pair}
  let at = 0; // which of the steps the dialog shows
  let columns = 1, rowHeight = 1;
  const drawn = new Map(); // rows in the page, by number

  // ---- filters

  function filtered() {
    const pool = data.pools[Number(form.pool.value)];
    const own = form.source.value, other = form.similar.value, rank = Number(form.rank.value);
    const low = bound(form.low, -Infinity), high = bound(form.high, Infinity);
    const found = pool.queries.map(([query, pairs], place) => ({
      place, query,
      pairs: pairs.filter(([r, hand, distance]) =>
        (!rank || r === rank) && distance >= low && distance <= high &&
        (!other || data.hands[hand].source === other)),
    })).filter((entry) => entry.pairs.length && (!own || data.hands[entry.query].source === own));
    const direction = { near: 1, far: -1 }[form.order.value];
    if (direction) found.sort((a, b) => direction * (key(a) - key(b)) || a.place - b.place);
    return found;

    function key(entry) {
      const distances = entry.pairs.map((pair) => pair[2]);
      return direction > 0 ? Math.min(...distances) : Math.max(...distances);
    }
  }

  function bound(input, otherwise) {
    return Number.isNaN(input.valueAsNumber) ? otherwise : input.valueAsNumber;
  }

  function refresh() {
    entries = filtered();
    steps = entries.flatMap((entry, e) => entry.pairs.map((_, pair) => ({ entry: e, pair })));
    const all = data.pools[Number(form.pool.value)].queries.length;
    root.querySelector("output").value =
      `${number.format(entries.length)} of ${number.format(all)} hands, ${number.format(steps.length)} pairs`;
    root.querySelector(".gallery-none").hidden = entries.length > 0;
    list.scrollTop = 0;
    relayout();
  }

  function poolChanged() {
    const pool = data.pools[Number(form.pool.value)];
    const named = (value, text) => Object.assign(document.createElement("option"), { value, textContent: text });
    form.rank.replaceChildren(named("", "all"), ...pool.ranks.map((r) => named(r, `Top-${number.format(r)}`)));
    const distances = pool.queries.flatMap(([, pairs]) => pairs.map((pair) => pair[2]));
    [form.low.placeholder, form.high.placeholder] =
      distances.length ? [smallest(distances), largest(distances)].map((d) => d.toFixed(2)) : ["", ""];
    form.low.value = form.high.value = "";
    refresh();
  }

  const smallest = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
  const largest = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);

  // ---- the list

  function relayout() {
    const style = getComputedStyle(list);
    const [least, most] = ["--least", "--most"].map((name) => parseFloat(style.getPropertyValue(name)));
    const width = inner.clientWidth;
    const tiles = 1 + entries.reduce((longest, entry) => Math.max(longest, entry.pairs.length), 1);
    const wide = (count, tile) => count * (tile + TILE_GAP) - TILE_GAP + QUERY_GAP + AROUND;
    let inLine = tiles;
    while (inLine > 2 && wide(inLine, least) > width) inLine -= 1;
    columns = Math.max(1, Math.floor((width + GAP) / (wide(inLine, least) + GAP)));
    const card = (width - (columns - 1) * GAP) / columns;
    const tile = Math.min(most, Math.floor((card - wide(inLine, 0)) / inLine));
    const height = Math.ceil(tiles / inLine) * (tile + CAPTION) + AROUND;
    rowHeight = height + GAP;
    inner.style.height = `${Math.max(0, Math.ceil(entries.length / columns) * rowHeight - GAP)}px`;
    inner.style.setProperty("--columns", columns);
    inner.style.setProperty("--card", `${height}px`);
    inner.style.setProperty("--tile", `${tile}px`);
    for (const row of drawn.values()) row.remove();
    drawn.clear();
    draw();
  }

  function draw() {
    const last = Math.ceil(entries.length / columns) - 1;
    const from = Math.max(0, Math.floor(list.scrollTop / rowHeight) - ROWS_BEYOND);
    const to = Math.min(last, Math.ceil((list.scrollTop + list.clientHeight) / rowHeight) + ROWS_BEYOND);
    for (const [place, row] of drawn) {
      if ((place < from || place > to) && !row.contains(document.activeElement)) {
        row.remove();
        drawn.delete(place);
      }
    }
    for (let place = from; place <= to; place += 1) {
      if (!drawn.has(place)) drawn.set(place, addRow(place));
    }
  }

  function addRow(place) {
    const row = document.createElement("div");
    row.className = "gallery-row";
    row.style.top = `${place * rowHeight}px`;
    row.append(...entries.slice(place * columns, (place + 1) * columns).map((entry, i) => card(entry, place * columns + i)));
    const after = [...drawn.keys()].filter((other) => other > place).sort((a, b) => a - b)[0];
    inner.insertBefore(row, after === undefined ? null : drawn.get(after)); // in order, for the Tab key
    return row;
  }

  function card(entry, e) {
    const element = document.createElement("div");
    element.className = "gallery-card";
    element.setAttribute("role", "listitem");
    element.setAttribute("aria-posinset", e + 1);
    element.setAttribute("aria-setsize", entries.length);
    element.append(tile(entry.query, "Hand", e, 0));
    entry.pairs.forEach(([rank, hand, distance], pair) => {
      element.append(tile(hand, `Top-${number.format(rank)}: ${distance.toFixed(3)}`, e, pair));
    });
    return element;
  }

  function tile(place, caption, entry, pair) {
    const hand = data.hands[place];
    const button = document.createElement("button");
    button.type = "button";
    button.className = caption === "Hand" ? "tile query" : "tile";
    button.dataset.entry = entry;
    button.dataset.pair = pair;
    button.setAttribute("aria-label", `${caption}, ${hand.video} at ${time(hand)}`);
    button.title = `${hand.source}: ${hand.video} at ${time(hand)}`;
    const picture = document.createElement("span");
    picture.className = "picture";
    picture.append(image(hand.tile, ""), drawing(1000, 1000, hand.points));
    const stem = hand.video.split("/").pop().replace(/\.[^.]*$/, "");
    button.append(picture, line(caption), line(stem));
    return button;
  }

  function line(text) {
    return Object.assign(document.createElement("span"), { className: "line", textContent: text });
  }

  const time = (hand) => `${hand.time_s.toFixed(1)} s`;

  function image(base64, alt) {
    const element = new Image();
    element.decoding = "async";
    element.alt = alt;
    element.src = `data:image/webp;base64,${base64}`;
    return element;
  }

  function drawing(width, height, points, box) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("aria-hidden", "true");
    const paths = FINGERS.map((joints) => "M" + joints.map((j) => `${points[2 * j]} ${points[2 * j + 1]}`).join("L"));
    add("path", { d: paths.join(""), class: "rim" });
    paths.forEach((d, finger) => add("path", { d, class: `finger${finger}` }));
    if (box) {
      const [x1, y1, x2, y2] = box;
      add("rect", { x: x1, y: y1, width: x2 - x1, height: y2 - y1, class: "box" });
    }
    return svg;

    function add(name, attributes) {
      const shape = document.createElementNS(SVG, name);
      for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
      svg.append(shape);
    }
  }

  // ---- a pair in its frames

  function open(step) {
    at = step;
    show();
    if (!dialog.open) dialog.showModal();
  }

  function show() {
    const { entry, pair } = steps[at];
    const [rank, other, distance] = entries[entry].pairs[pair];
    dialog.querySelector("h3").textContent = `Top-${number.format(rank)}, distance ${distance.toFixed(3)}`;
    dialog.querySelector(".place").textContent = `pair ${number.format(at + 1)} of ${number.format(steps.length)}`;
    dialog.querySelector(".pair").replaceChildren(view(entries[entry].query, "The hand"), view(other, "The similar hand"));
    // Not `disabled`: a disabled button that has the focus would swallow the keys.
    dialog.querySelector("[data-go='-1']").setAttribute("aria-disabled", at === 0);
    dialog.querySelector("[data-go='1']").setAttribute("aria-disabled", at === steps.length - 1);
  }

  function view(place, name) {
    const hand = data.hands[place];
    const framed = hand.frame !== undefined;
    const figure = document.createElement("figure");
    const picture = document.createElement("div");
    picture.className = framed ? "picture whole" : "picture whole square";
    if (framed) {
      const frame = data.frames[hand.frame];
      picture.style.aspectRatio = `${frame.width} / ${frame.height}`;
      const [x1, y1, x2, y2] = hand.box;
      picture.classList.toggle("small", Math.max(x2 - x1, y2 - y1) < SMALL * frame.width);
      picture.append(
        image(frame.picture, `${name} in its frame`), drawing(frame.width, frame.height, hand.frame_points, hand.box));
    } else {
      picture.append(image(hand.tile, `${name}, cut out`), drawing(1000, 1000, hand.points));
    }
    const caption = document.createElement("figcaption");
    const strong = document.createElement("b");
    strong.textContent = name;
    const notes = [`${hand.source}: ${hand.video}`, `frame ${number.format(hand.frame_index)}, at ${time(hand)}`,
      `${hand.side} hand${hand.mirrored ? (framed ? ", mirrored in the gallery" : ", shown mirrored") : ""}`];
    if (!framed) notes.push("without its frame, which was deleted or is beyond report.gallery_frames");
    caption.append(strong, ...notes.map((note) => Object.assign(document.createElement("span"), { textContent: note })));
    figure.append(picture, caption);
    return figure;
  }

  function go(by) {
    const step = at + by;
    if (step >= 0 && step < steps.length) { at = step; show(); }
  }

  function goToHand(by) {
    const entry = steps[at].entry + by;
    if (entry >= 0 && entry < entries.length) { at = firstStep(entry); show(); }
  }

  const firstStep = (entry) => steps.findIndex((step) => step.entry === entry);

  const KEYS = { ArrowRight: () => go(1), ArrowLeft: () => go(-1), ArrowDown: () => goToHand(1), ArrowUp: () => goToHand(-1) };

  function closed() { // back to the tile of the pair that was shown last
    const { entry, pair } = steps[at];
    const row = Math.floor(entry / columns);
    const top = row * rowHeight;
    if (top < list.scrollTop || top + rowHeight > list.scrollTop + list.clientHeight) list.scrollTop = top;
    draw();
    const tiles = drawn.get(row).querySelectorAll(`[data-entry="${entry}"][data-pair="${pair}"]`);
    tiles[tiles.length - 1].focus({ preventScroll: true });
  }

  // ---- events

  let asked = false;
  list.addEventListener("scroll", () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; draw(); });
  }, { passive: true });
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) open(firstStep(Number(button.dataset.entry)) + Number(button.dataset.pair));
  });
  form.addEventListener("input", (event) => {
    if (event.target === form.pool) poolChanged();
    else if (event.target !== form.keypoints) refresh();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(poolChanged)); // once the fields are empty
  form.keypoints.addEventListener("change", () => root.classList.toggle("plain", !form.keypoints.checked));
  dialog.addEventListener("keydown", (event) => {
    if (KEYS[event.key]) { event.preventDefault(); KEYS[event.key](); }
  });
  dialog.addEventListener("click", (event) => {
    const step = event.target.closest("[data-go]");
    if (step) go(Number(step.dataset.go));
    if (event.target === dialog || event.target.closest(".close")) dialog.close();
  });
  dialog.addEventListener("close", closed);
  let width = 0;
  new ResizeObserver(() => {
    if (list.clientWidth !== width) { width = list.clientWidth; relayout(); }
  }).observe(list);

  poolChanged();
})();
