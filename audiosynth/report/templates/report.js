"use strict";
// The table of clips and the window of one clip. All texts of the set go through textContent: none of them is ever markup.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const PAGE = 25, SHARD = 25;
  const $ = (id) => document.getElementById(id);
  const count = (n) => n.toLocaleString("en");
  const state = { found: [], page: 0, key: "order", down: false, open: -1 };

  function el(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "style") for (const [key, v] of Object.entries(value)) node.style.setProperty(key, v);
      else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value === true) node.setAttribute(name, "");
      else if (value !== false && value != null) node.setAttribute(name, value);
    }
    node.append(...children.filter((child) => child != null));
    return node;
  }

  // ---- the table ----
  const byName = data.classes.map((name, i) => [name, i]).sort((a, b) => (a[0] < b[0] ? -1 : 1));
  const colours = [];
  byName.forEach(([, i], rank) => { colours[i] = data.palette[rank % data.palette.length]; });
  const colourOf = (name) => colours[data.classes.indexOf(name)] ?? data.palette[0];
  const texts = data.ids.map((id, i) =>
    [id, data.splits[data.split[i]], ...data.labels[i].map((k) => data.classes[k]), data.text[i] ?? ""].join(" ").toLowerCase());
  const dB = (x) => (x == null ? "" : x.toFixed(1));
  const tag = (k) => el("span", { class: "tag" }, el("span", { class: "swatch", style: { "--colour": colours[k] } }), data.classes[k]);
  const check = (k) => data.checks[k].replaceAll("_", " ");

  const columns = [
    { key: "order", title: "Clip", of: (i) => i, cell: (i) => el("th", { scope: "row" }, el("button", { type: "button", class: "open", onclick: () => show(i) }, data.ids[i])) },
    { key: "split", title: "Split", of: (i) => data.split[i], cell: (i) => el("td", {}, data.splits[data.split[i]]) },
    { key: "labels", title: "Labels", of: (i) => data.labels[i].map((k) => data.classes[k]).join(" "), cell: (i) => el("td", {}, ...labelTags(i)) },
    { key: "seconds", title: "Seconds", right: true, of: (i) => data.seconds[i], cell: (i) => data.seconds[i].toFixed(2) },
    { key: "snr", title: "SNR, dB", right: true, of: (i) => data.snr[i]?.[0], cell: (i) => snrText(data.snr[i]) },
    { key: "level", title: "Level, dBFS", right: true, of: (i) => data.level[i], cell: (i) => dB(data.level[i]) },
    { key: "polyphony", title: "At once", right: true, of: (i) => data.polyphony[i], cell: (i) => String(data.polyphony[i]) },
    { key: "found", title: "Found", of: (i) => (data.faults[i] ?? []).map(check).join(), cell: (i) => el("td", {}, (data.faults[i] ?? []).map(check).join(", ")) },
  ];

  function labelTags(i) {
    const counts = new Map();
    for (const k of data.labels[i]) counts.set(k, (counts.get(k) ?? 0) + 1);
    return [...counts].map(([k, n]) => { const t = tag(k); if (n > 1) t.append(` ×${n}`); return t; });
  }

  function snrText(range) {
    if (range == null) return "";
    return range[0] === range[1] ? dB(range[0]) : `${dB(range[0])} to ${dB(range[1])}`;
  }

  function filtered() {
    const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const [k, split, fault] = ["class", "split", "fault"].map((id) => ($(id).value === "" ? null : Number($(id).value)));
    const [low, high] = ["snr-low", "snr-high"].map((id) => ($(id).value === "" ? null : Number($(id).value)));
    const fits = (i) =>
      words.every((word) => texts[i].includes(word)) &&
      (k == null || data.labels[i].includes(k)) &&
      (split == null || data.split[i] === split) &&
      (fault == null || (data.faults[i] ?? []).includes(fault)) &&
      (low == null || (data.snr[i] != null && data.snr[i][0] >= low)) &&
      (high == null || (data.snr[i] != null && data.snr[i][1] <= high));
    return data.ids.map((_, i) => i).filter(fits);
  }

  function update() {
    const { of } = columns.find((column) => column.key === state.key);
    const way = state.down ? -1 : 1;
    state.found = filtered().map((i) => [of(i), i]).sort(([a, i], [b, j]) => {
      if (a == null || b == null) return (a == null) - (b == null) || i - j; // what has no value stands last, both ways
      return a < b ? -way : a > b ? way : i - j;
    }).map(([, i]) => i);
    state.page = 0;
    draw();
  }

  function draw() {
    const pages = Math.max(1, Math.ceil(state.found.length / PAGE));
    const shown = state.found.slice(state.page * PAGE, (state.page + 1) * PAGE);
    $("rows").replaceChildren(...shown.map((i) => el("tr", {}, ...columns.map(({ cell, right }) => {
      const made = cell(i);
      return typeof made === "string" ? el("td", { class: right ? "right" : null }, made) : made;
    }))));
    $("head").replaceChildren(...columns.map(({ key, title, right }) => el("th",
      { scope: "col", class: right ? "right" : null, "aria-sort": key === state.key ? (state.down ? "descending" : "ascending") : null },
      el("button", { type: "button", "data-key": key }, title, key === state.key ? (state.down ? " ▾" : " ▴") : ""))));
    $("count").textContent = `${count(state.found.length)} of ${count(data.ids.length)} clips`;
    $("where").textContent = `Page ${count(state.page + 1)} of ${count(pages)}`;
    $("back").disabled = state.page === 0;
    $("on").disabled = state.page >= pages - 1;
  }

  function sortBy(key) {
    state.down = state.key === key && !state.down;
    state.key = key;
    update();
    document.querySelector(`#head button[data-key="${key}"]`).focus();
  }

  // ---- one clip ----
  const shards = new Map();
  window.audiosynthClips = (number, clips) => shards.set(number, clips);

  function load(i) {
    const number = Math.floor(i / SHARD);
    if (shards.has(number)) return Promise.resolve(shards.get(number)[i % SHARD]);
    return new Promise((resolve, reject) => {
      const src = `report_files/clips/${String(number).padStart(5, "0")}.js`;
      document.head.append(el("script", {
        src, onload: () => resolve(shards.get(number)[i % SHARD]), onerror: () => reject(new Error(src)),
      }));
    });
  }

  async function show(i) {
    state.open = i;
    $("clip-title").textContent = data.ids[i];
    $("detail").replaceChildren("Loading…");
    if (!$("clip").open) $("clip").showModal();
    $("clip-title").focus();
    history.replaceState(null, "", `#clip=${data.ids[i]}`);
    const at = state.found.indexOf(i);
    $("earlier").disabled = at <= 0;
    $("later").disabled = at < 0 || at >= state.found.length - 1;
    try {
      const clip = await load(i);
      if (state.open === i) $("detail").replaceChildren(...detail(clip));
    } catch (error) {
      if (state.open === i) $("detail").replaceChildren(el("p", { class: "warning" }, `${error.message} is not beside the page; keep report_files with it.`));
    }
  }

  const step = (by) => { const i = state.found[state.found.indexOf(state.open) + by]; if (i != null) show(i); };
  const url = (path) => path.split("/").map(encodeURIComponent).join("/");
  const percent = (x) => `${(100 * x).toFixed(4)}%`;

  function detail(clip) {
    const { row } = clip;
    const audio = el("audio", { controls: true, preload: "metadata", src: url(row.path), "aria-label": `Clip ${row.clip_id}` });
    const problem = el("p", { class: "warning", role: "alert", hidden: true });
    audio.addEventListener("error", () => { problem.textContent = `${audio.getAttribute("src")} cannot be played: it is missing, or this browser does not know its format.`; problem.hidden = false; });
    audio.addEventListener("loadedmetadata", () => { problem.hidden = true; });
    const picture = drawing(clip, audio);
    const note = clip.picture ? null : el("p", {}, "No picture: the audio of this clip was not read for this report, or could not be.");
    return [picture, note, audio, problem, solo(clip, audio), labelTable(row), facts(clip), command(clip), spec(row)].filter((part) => part != null);
  }

  function drawing(clip, audio) {
    const { row } = clip, n = row.n_samples;
    const cursor = el("div", { class: "cursor", style: { left: "0%" } });
    const heard = row.labels.filter((label) => label.audible !== false);
    const names = [...new Set(heard.map((label) => label.label))].join(", ");
    const place = (label) => ({ left: percent(label.onset_sample / n), width: percent((label.offset_sample - label.onset_sample) / n), "--colour": colourOf(label.label) });
    const spans = () => heard.map((label) => el("div", { class: "span", style: place(label) }));
    const rows = lanes(row.labels, n).map((lane) => el("div", { class: "lane" }, ...lane.map((label) =>
      el("div", { class: label.audible === false ? "label quiet" : "label", style: place(label), title: label.label }, label.label))));
    const box = el("div", { class: "picture", role: "img", "aria-label": `Waveform and log-mel spectrogram of ${row.clip_id}; labels: ${names || "none"}` }, ...rows);
    if (clip.picture) {
      const [left, right] = clip.reach;
      box.append(
        el("div", { class: "wave" }, wave(clip), ...spans()),
        el("div", { class: "mel" },
          el("img", { src: `report_files/pictures/${url(clip.picture)}`, alt: "", style: { left: percent(left), width: percent(right - left) } }),
          ...spans(), words(row), el("div", { class: "marks" }, ...clip.marks.map(([kHz, top]) => el("span", { class: top < 0.04 ? "first" : null, style: { top: percent(top) } }, `${kHz} k`)))));
    }
    box.append(times(row.duration), cursor);
    const follow = () => {
      cursor.style.left = percent(Math.min(1, audio.currentTime / row.duration));
      if (!audio.paused && audio.isConnected) requestAnimationFrame(follow);
    };
    for (const event of ["play", "seeked", "timeupdate"]) audio.addEventListener(event, follow);
    box.addEventListener("click", (event) => {
      const { left, width } = box.getBoundingClientRect();
      audio.currentTime = Math.max(0, Math.min(1, (event.clientX - left - 1) / (width - 2))) * row.duration;
    });
    return box;
  }

  // Labels in as few lanes as keep them apart; a short one's name takes room too.
  function lanes(labels, n) {
    const found = [], ends = [];
    for (const label of [...labels].sort((a, b) => a.onset_sample - b.onset_sample)) {
      const end = Math.max(label.offset_sample, label.onset_sample + (label.label.length + 2) * 0.009 * n);
      let lane = ends.findIndex((last) => last <= label.onset_sample);
      if (lane < 0) lane = found.push([]) - 1;
      found[lane].push(label);
      ends[lane] = end;
    }
    return found;
  }

  function wave(clip) {
    const steps = Uint8Array.from(atob(clip.outline), (c) => c.charCodeAt(0)), half = steps.length / 2;
    const y = (i) => ((255 - steps[i]) / 2.55).toFixed(1);
    let path = "";
    for (let i = 0; i < half; i += 1) path += `${i ? "L" : "M"}${i + 0.5} ${y(half + i)}`;
    for (let i = half - 1; i >= 0; i -= 1) path += `L${i + 0.5} ${(Number(y(i)) + 0.6).toFixed(1)}`;
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", `0 0 ${half} 100`);
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", `${path}Z`);
    svg.append(line);
    return svg;
  }

  function words(row) {
    const said = row.labels.flatMap((label) => label.words ?? []);
    return el("div", { class: "marks" }, ...said.map(([text, a, b]) =>
      el("span", { class: "word", style: { left: percent(a / row.n_samples), width: percent((b - a) / row.n_samples), bottom: "0" } }, text)));
  }

  function times(duration) {
    const raw = duration / 8, power = 10 ** Math.floor(Math.log10(raw));
    const every = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= raw);
    const places = [];
    for (let t = 0; t < duration * 0.97; t += every) places.push(t);
    return el("div", { class: "times" }, ...places.map((t) => el("span", { style: { left: percent(t / duration) } }, `${Number(t.toPrecision(6))} s`)));
  }

  function solo(clip, audio) {
    if (!clip.stems.length) return null;
    const pick = (path) => {
      const { currentTime, paused } = audio;
      audio.addEventListener("loadedmetadata", () => { audio.currentTime = currentTime; if (!paused) audio.play(); }, { once: true });
      audio.src = url(path);
    };
    const choice = (path, text, checked) => el("label", {}, el("input", { type: "radio", name: "stem", checked, onchange: () => pick(path) }), text);
    return el("fieldset", {}, el("legend", {}, "Hear"), choice(clip.row.path, "the mix", true),
      ...clip.stems.map((stem) => choice(stem.path, `${stem.name} (${stem.role})`, false)));
  }

  function table(caption, heads, rows) {
    const line = (cells, kind) => el("tr", {}, ...cells.map((cell, i) => el(kind, { scope: kind === "th" ? "col" : null, class: i ? "right" : null }, cell)));
    return el("div", { class: "scroll", role: "region", "aria-label": caption, tabindex: "0" },
      el("table", {}, el("caption", {}, caption), el("thead", {}, line(heads, "th")), el("tbody", {}, ...rows.map((row) => line(row, "td")))));
  }

  function labelTable(row) {
    if (!row.labels.length) return el("p", {}, "No labels.");
    const fixed = (x, digits) => (x == null ? "" : x.toFixed(digits));
    const outcome = (label) => (label.event == null ? {} : row.outcomes.events[label.event] ?? {});
    const columns = [
      ["Onset, s", (label) => fixed(label.onset, 3)],
      ["Offset, s", (label) => fixed(label.offset, 3)],
      ["SNR asked, dB", (label, out) => fixed(out.requested_snr_db, 2)],
      ["realised, dB", (label, out) => fixed(out.realised_snr_db ?? label.snr_db, 2)],
      ["RT60, s", (label, out) => fixed(out.room?.t30 ?? out.room?.t20, 3)],
      ["DRR, dB", (label, out) => fixed(out.room?.drr_db, 1)],
      ["Azimuth, °", (label) => fixed(label.azimuth, 1)],
    ].filter(([, of]) => row.labels.some((label) => of(label, outcome(label))));
    return table("Labels", ["Label", ...columns.map(([head]) => head)], row.labels.map((label) => {
      const text = label.label + (label.audible === false ? " (cannot be heard)" : "");
      const name = el("span", { class: "tag" }, el("span", { class: "swatch", style: { "--colour": colourOf(label.label) } }), text);
      return [name, ...columns.map(([, of]) => of(label, outcome(label)))];
    }));
  }

  function facts(clip) {
    const { row, measured } = clip, out = row.outcomes;
    const told = {
      Split: row.split, Seconds: row.duration, "Rate, Hz": row.sr, Channels: row.n_channels, "Level, dBFS": out.level_dbfs?.toFixed(2), "Peak, dBFS": out.peak_dbfs?.toFixed(2),
      Guard: out.guarded ? `turned down ${(-row.decisions.guard_gain_db).toFixed(2)} dB` : "not needed", "Saturated samples": out.clipped,
      "Constant part, dBFS": measured?.dc_dbfs, "Replica of": row.augmented_from, File: row.path, "SHA-256 of the samples": row.pcm_sha256,
    };
    return el("dl", { class: "facts" }, ...Object.entries(told).filter(([, value]) => value != null).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, String(value)))));
  }

  function command({ row, data: roots }) {
    const folders = roots.map((name) => ` --data ${name}=DIR`).join("");
    const from = data.unfinished ? `grep -h '"${row.clip_id}"' .build/units/*.jsonl | audiosynth reproduce -` : `audiosynth reproduce . --clip ${row.clip_id}`;
    return el("div", {}, el("p", {}, "Make it again, in the folder of the set:"), el("code", { class: "command" }, `${from}${folders} -o again/`));
  }

  function spec(row) {
    return el("details", {}, el("summary", {}, "Spec: every number that went into it"), el("pre", { tabindex: "0", role: "region", "aria-label": "Spec" }, JSON.stringify(row.spec, null, 1)));
  }

  // ---- wiring ----
  const options = (id, pairs) => $(id).append(...pairs.map(([text, value]) => el("option", { value }, text)));
  options("class", byName);
  options("split", data.splits.map((name, i) => [name, i]));
  options("fault", [...new Set(Object.values(data.faults).flat())].sort((a, b) => a - b).map((k) => [check(k), k]));
  $("filters").addEventListener("input", update);
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("filters").addEventListener("reset", () => setTimeout(update));
  $("head").addEventListener("click", (event) => { const key = event.target.closest("button")?.dataset.key; if (key) sortBy(key); });
  $("back").addEventListener("click", () => { state.page -= 1; draw(); });
  $("on").addEventListener("click", () => { state.page += 1; draw(); });
  $("earlier").addEventListener("click", () => step(-1));
  $("later").addEventListener("click", () => step(1));
  $("close").addEventListener("click", () => $("clip").close());
  $("clip").addEventListener("close", () => {
    $("detail").replaceChildren();
    history.replaceState(null, "", location.pathname);
    const row = [...document.querySelectorAll("#rows .open")].find((button) => button.textContent === data.ids[state.open]);
    row?.focus();
  });
  function follow() {
    const [key, value] = decodeURIComponent(location.hash.slice(1)).split("=");
    if (key === "clip" && data.ids.includes(value)) show(data.ids.indexOf(value));
    if (key === "found") { $("fault").value = value; update(); $("clips").scrollIntoView(); $("fault").focus(); }
  }
  window.addEventListener("hashchange", follow);
  update();
  follow();
})();
