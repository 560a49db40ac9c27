const VIEWS = new WeakMap();
const PREFERENCES = "slidegate.viewer";
const OWN_KEYS = new Set(["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Equal", "Minus", "NumpadAdd", "NumpadSubtract", "Digit0", "Numpad0"]);

function loadLibrary(url) {
  window.slidegateViewer ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.OpenSeadragon);
    script.onerror = () => { window.slidegateViewer = undefined; reject(new Error("viewer not loaded")); };
    document.head.append(script);
  });
  return window.slidegateViewer;
}

class View {
  constructor(root) {
    this.root = root.querySelector(".viewer");
    this.part = (name) => this.root.querySelector(name);
    this.wanted = { opacity: 45, lines: true, overlay: true, heat: true, off: [], ...this.remembered() };
    this.place = -1;
    this.known = new Map(); // what is known about slides that were prefetched
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
    this.root.addEventListener("click", (event) => this.act(event.target.dataset.do));
    this.part(".opacity-range").addEventListener("input", (event) => this.want({ opacity: +event.target.value }));
    this.resizing = new ResizeObserver(() => this.root.classList.toggle("narrow", this.root.clientWidth < 620));
    this.resizing.observe(this.root);
  }

  close() {
    document.removeEventListener("keydown", this.onKey);
    this.resizing.disconnect();
    this.viewer?.destroy();
  }

  remembered() {
    try { return JSON.parse(localStorage.getItem(PREFERENCES)) ?? {}; } catch { return {}; }
  }

  // ---- what Python says

  async show(data, tell) {
    const isOther = this.data?.slide_id !== data.slide_id || this.data?.url !== data.url;
    const isBare = this.data?.shows_findings !== data.shows_findings;
    const isNewToken = this.data?.token !== data.token;
    this.data = data;
    this.tell = tell;
    this.root.style.setProperty("--room", `${data.room_px}px`);
    if (isNewToken && this.viewer && !isOther) this.renew();
    if (isOther) await this.open();
    else if (isBare) this.draw();
    if (data.next) this.prefetch(data.next);
  }

  headers(token = this.data.token) { return { [this.data.header]: token }; }

  url(kind, rest, id = this.data.slide_id) { return `${this.data.url}/qc/${kind}/${encodeURIComponent(id)}${rest}`; }

  async open() {
    const asked = this.data.slide_id;
    this.say("Opening the slide …");
    this.about = undefined;
    this.place = -1;
    try {
      this.osd = await loadLibrary(`${this.data.url}/qc/viewer/${this.data.library}`);
      const about = this.known.get(asked) ?? (await this.ask(asked, this.data.token));
      if (asked !== this.data.slide_id) return; // somebody was quicker
      this.about = about;
    } catch (error) {
      if (asked === this.data.slide_id) this.say(`The slide cannot be shown: ${error.message}`);
      this.viewer?.close();
      this.list();
      return;
    }
    this.known.clear();
    this.viewer ??= this.made();
    this.viewer.setAjaxHeaders(this.headers());
    this.layers = {};
    this.viewer.open(slideSource(this.osd, this.about, (level, x, y) => this.url("tiles", `/${level}/${x}_${y}.jpg`)));
    this.part(".glass").hidden = !this.about.has_macro;
    this.part(".heat").hidden = !this.about.heats.length;
    this.part(".glass-photo").hidden = true;
    this.list();
  }

  async ask(id, token) {
    const answer = await fetch(this.url("slide", ".json", id), { headers: this.headers(token) });
    if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).reason ?? `answer ${answer.status}`);
    return answer.json();
  }

  async prefetch({ slide_id, token }) {
    if (this.known.has(slide_id)) return;
    try { this.known.set(slide_id, await this.ask(slide_id, token)); } catch { /* it will be asked for again */ }
  }

  renew() {
    this.viewer.setAjaxHeaders(this.headers());
    if (!this.isStale) return;
    this.isStale = false;
    this.say("");
    for (let i = 0; i < this.viewer.world.getItemCount(); i++) this.viewer.world.getItemAt(i).reset();
  }

  // ---- OpenSeadragon

  made() {
    const viewer = this.osd({
      element: this.part(".canvas"), drawer: "canvas", loadTilesWithAjax: true, ajaxHeaders: this.headers(),
      showNavigationControl: false, showNavigator: true, navigatorPosition: "TOP_RIGHT", navigatorSizeRatio: 0.16,
      navigatorAutoFade: false, navigatorBackground: "#fff", navigatorOpacity: 1, navigatorBorderColor: "#5b6673", navigatorDisplayRegionColor: "#0047ab", minZoomImageRatio: 0.7, maxZoomPixelRatio: 8, visibilityRatio: 0.3, animationTime: 0.35, springStiffness: 9,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true }, imageLoaderLimit: 6, maxImageCacheCount: 300,
      crossOriginPolicy: false, tabIndex: 0, zoomPerScroll: 1.3,
    });
    viewer.canvas.setAttribute("role", "application");
    viewer.canvas.setAttribute("aria-label", "Slide: drag or arrow keys to move, wheel or plus and minus to zoom");
    viewer.addHandler("canvas-key", (event) => { event.preventDefaultAction = !OWN_KEYS.has(event.originalEvent.code); });
    viewer.addHandler("open", () => { this.say(""); viewer.viewport.goHome(true); this.draw(); });
    viewer.addHandler("update-viewport", () => this.measure());
    viewer.addHandler("tile-load-failed", (event) => this.failed(event));
    viewer.navigator.element.setAttribute("aria-hidden", "true");
    viewer.navigator.element.querySelectorAll("[tabindex]").forEach((part) => part.setAttribute("tabindex", "-1"));
    return viewer;
  }

  failed(event) {
    const status = event.tileRequest?.status;
    if (status === 401 && !this.isStale) {
      this.isStale = true;
      this.say("Asking for leave to go on …");
      this.tell("stale", Date.now());
    } else if (status === 422) {
      this.say("Parts of this file cannot be decoded.");
    }
  }

  shownClasses() {
    if (!this.data.shows_findings || !this.wanted.overlay || !this.about?.has_overlay) return [];
    return this.about.classes.filter((one) => one.area_mm2 > 0 && !this.wanted.off.includes(one.id)).map((one) => one.id);
  }

  draw() {
    if (!this.about || !this.viewer?.isOpen()) return;
    this.layer("fill", 1, this.wanted.opacity / 100);
    this.layer("line", 2, this.wanted.lines ? 1 : 0);
    this.about.heats.forEach((heat) => this.heat(heat));
    this.mark();
    this.controls();
  }

  layer(style, index, opacity) {
    const classes = this.shownClasses().join("-");
    const had = this.layers[style];
    if (had && had.classes === classes) { had.image?.setOpacity(opacity); had.opacity = opacity; return; }
    const now = { classes, opacity, image: undefined };
    this.layers[style] = now;
    const drop = () => { if (had?.image) this.viewer.world.removeItem(had.image); };
    if (!classes) { drop(); return; }
    const query = `?classes=${classes}&style=${style}`;
    const source = slideSource(this.osd, this.about, (level, x, y) => this.url("overlay", `/${level}/${x}_${y}.png${query}`));
    source.hasTransparency = () => true;
    const about = this.about;
    this.viewer.addTiledImage({
      tileSource: source, opacity, success: ({ item }) => {
        drop();
        if (about !== this.about || this.layers[style] !== now) { this.viewer.world.removeItem(item); return; }
        now.image = item;
        item.setOpacity(now.opacity);
        this.viewer.world.setItemIndex(item, Math.min(index, this.viewer.world.getItemCount() - 1));
      },
    });
  }

  heat(heat) { // one picture over the whole slide
    const opacity = this.data.shows_findings && this.wanted.heat ? 1 : 0;
    const key = `heat ${heat.name}`;
    if (this.layers[key]) { this.layers[key].opacity = opacity; this.layers[key].image?.setOpacity(opacity); return; }
    if (!opacity) return;
    const now = { opacity, image: undefined }, about = this.about;
    this.layers[key] = now;
    const { width, height } = heat;
    const source = new this.osd.TileSource({ width, height, tileSize: Math.max(width, height), tileOverlap: 0, minLevel: 0, maxLevel: 0 });
    source.getTileUrl = () => this.url("heat", `/${encodeURIComponent(heat.name)}.png`);
    source.getTileHashKey = (level, column, row, url) => url;
    source.hasTransparency = () => true;
    this.viewer.addTiledImage({
      tileSource: source, width: 1, opacity, success: ({ item }) => {
        if (about !== this.about) { this.viewer.world.removeItem(item); return; }
        now.image = item;
        item.setOpacity(now.opacity);
      },
    });
  }

  measure() {
    if (!this.about || !this.viewer.isOpen()) return;
    const umPerPx = this.about.mpp / this.viewer.world.getItemAt(0).viewportToImageZoom(this.viewer.viewport.getZoom(true));
    const { px, text } = scaleBar(umPerPx, Math.min(200, this.root.clientWidth / 4));
    this.part(".scale-bar").style.width = `${px}px`;
    this.part(".scale-text").textContent = text;
  }

  // ---- places to look at

  list() {
    const places = this.data.shows_findings ? (this.about?.regions ?? []) : [];
    const list = this.part(".places ol");
    this.part(".places h2").textContent = places.length ? `Places to look at (${places.length})` : "Places to look at";
    list.replaceChildren(...places.map((place, i) => this.entry(place, i)));
    if (places.length) return;
    const none = document.createElement("li");
    none.className = "none";
    none.textContent = !this.about ? "" : !this.data.shows_findings ? "Shown after your decision." :
      this.about.has_overlay ? "No artefact was found." : "The map of this run is not at hand.";
    list.replaceChildren(none);
  }

  entry(place, i) {
    const button = document.createElement("button");
    button.type = "button";
    const cls = this.about.classes.find((one) => one.id === place.class);
    const name = document.createElement("span"), area = document.createElement("span");
    name.textContent = cls.label;
    area.textContent = areaText(place.area_mm2);
    button.append(this.swatch(cls), name, area);
    button.addEventListener("click", () => this.visit(i));
    const item = document.createElement("li");
    item.append(button);
    return item;
  }

  visit(i) {
    const places = this.data.shows_findings ? (this.about?.regions ?? []) : [];
    if (!places.length || !this.viewer?.isOpen()) return;
    this.place = (i + places.length) % places.length;
    const box = places[this.place];
    const least = 400 / this.about.mpp;
    const width = Math.max(box.width * 1.8, least), height = Math.max(box.height * 1.8, least);
    const x = box.x + box.width / 2 - width / 2, y = box.y + box.height / 2 - height / 2;
    this.viewer.viewport.fitBounds(this.viewer.world.getItemAt(0).imageToViewportRectangle(x, y, width, height));
    this.mark();
    this.part(".places ol").children[this.place].scrollIntoView({ block: "nearest" });
  }

  mark() {
    this.part(".places ol").querySelectorAll("button").forEach((button, i) => button.setAttribute("aria-current", String(i === this.place)));
    this.frame?.isConnected && this.viewer.removeOverlay(this.frame);
    const box = this.about.regions[this.place];
    if (!box || !this.data.shows_findings || !this.wanted.overlay) return;
    this.frame = document.createElement("div");
    this.frame.className = "frame";
    const pad = 20 / this.about.mpp;
    const around = this.viewer.world.getItemAt(0).imageToViewportRectangle(box.x - pad, box.y - pad, box.width + 2 * pad, box.height + 2 * pad);
    this.viewer.addOverlay({ element: this.frame, location: around });
  }

  // ---- controls

  want(change) {
    Object.assign(this.wanted, change);
    try { localStorage.setItem(PREFERENCES, JSON.stringify(this.wanted)); } catch { /* private window */ }
    this.draw();
  }

  controls() {
    this.part(".opacity-range").value = this.wanted.opacity;
    for (const name of ["lines", "overlay", "heat"]) this.part(`.${name}`).setAttribute("aria-pressed", String(this.wanted[name]));
    this.part(".glass").setAttribute("aria-pressed", String(!this.part(".glass-photo").hidden));
    const box = this.part(".classes");
    box.hidden = !this.data.shows_findings;
    box.replaceChildren(box.firstElementChild, ...this.about.classes.map((cls, i) => this.chip(cls, i)));
  }

  chip(cls, i) {
    const label = document.createElement("label");
    label.className = cls.area_mm2 > 0 ? "chip" : "chip absent";
    const share = cls.share === null ? "" : `, ${(100 * cls.share).toFixed(1)} % of tissue`;
    label.title = `${cls.label}: ${areaText(cls.area_mm2)}${share} (key ${i + 1})`;
    const input = document.createElement("input"), text = document.createElement("span");
    input.type = "checkbox";
    input.checked = !this.wanted.off.includes(cls.id);
    input.setAttribute("aria-label", `Show ${cls.label}, ${areaText(cls.area_mm2)}`);
    input.addEventListener("change", () => this.flip(cls.id));
    text.className = "text";
    const area = document.createElement("span");
    area.className = "area";
    area.textContent = ` ${areaText(cls.area_mm2)}`;
    text.append(cls.label, area);
    label.append(input, this.swatch(cls), text);
    return label;
  }

  swatch(cls) {
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    swatch.style.background = cls.colour;
    swatch.style.color = inkOn(cls.colour);
    swatch.textContent = this.about.classes.indexOf(cls) + 1;
    swatch.setAttribute("aria-hidden", "true");
    return swatch;
  }

  flip(id) {
    const off = this.wanted.off.includes(id) ? this.wanted.off.filter((one) => one !== id) : [...this.wanted.off, id];
    this.want({ off });
  }

  act(what) {
    if (what === "lines" || what === "overlay" || what === "heat") this.want({ [what]: !this.wanted[what] });
    if (what === "full") document.fullscreenElement ? document.exitFullscreen() : this.root.requestFullscreen();
    if (what === "glass") this.glass();
    if (!this.viewer?.isOpen()) return;
    const viewport = this.viewer.viewport;
    if (what === "in") viewport.zoomBy(1.6);
    if (what === "out") viewport.zoomBy(1 / 1.6);
    if (what === "native") viewport.zoomTo(this.viewer.world.getItemAt(0).imageToViewportZoom(1));
    if (what === "home") viewport.goHome();
    viewport.applyConstraints();
  }

  async glass() {
    const photo = this.part(".glass-photo");
    photo.hidden = !photo.hidden;
    this.controls();
    if (photo.hidden) return;
    const answer = await fetch(this.url("macro", ".jpg"), { headers: this.headers() });
    if (!answer.ok) { this.say("The photograph cannot be shown."); return; }
    photo.querySelector("figcaption").textContent = answer.headers.get("X-Caption") ?? "whole glass, label covered";
    const img = photo.querySelector("img");
    const old = img.src;
    img.src = URL.createObjectURL(await answer.blob());
    if (old) URL.revokeObjectURL(old);
  }

  key(event) {
    const at = event.composedPath()[0];
    const isTyping = at.isContentEditable || at.tagName === "TEXTAREA" || at.tagName === "SELECT" ||
      (at.tagName === "INPUT" && !["checkbox", "range", "radio", "button"].includes(at.type));
    if (isTyping || event.ctrlKey || event.altKey || event.metaKey || !this.about) return;
    const cls = this.about.classes[+event.key - 1];
    if (cls) this.flip(cls.id);
    else if (event.key === "f") this.visit(this.place + 1);
    else if (event.key === "F") this.visit(this.place - 1);
    else if (event.key === "v") this.act("overlay");
    else if (event.key === "o") this.act("lines");
    else if (event.key === "h" && this.about.heats.length) this.act("heat");
    else if (event.key === "m" && this.about.has_macro) this.act("glass");
    else if (event.key === "0" && event.composedPath()[0] !== this.viewer?.canvas) this.act("home");
    else if (event.key === "+" || event.key === "=") this.act("in");
    else if (event.key === "-") this.act("out");
    else return;
    event.preventDefault();
  }

  say(text) { this.part(".note").textContent = text; }
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  let view = VIEWS.get(parentElement);
  if (!view) VIEWS.set(parentElement, (view = new View(parentElement)));
  view.show(data, setTriggerValue);
  return () => setTimeout(() => { // also called between two runs, when the host stays
    if (parentElement.isConnected || parentElement.host?.isConnected) return;
    view.close();
    VIEWS.delete(parentElement);
  });
}
