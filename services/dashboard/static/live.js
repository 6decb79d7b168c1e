// Keeps a page as it is now. The server renders everything: on news the page is fetched again, and those of its parts
// that have an id and `data-part` are put in place of what was there.
"use strict";

const LEAST_MS = 250; // between two fetches
const STEADY_MS = 2000; // ages and depths change without news
const BEATS_MAX = 6; // of one curve at a time

const about = document.body.dataset.live;
let dirty = false;
let busy = false;
let source = null;

async function refresh() {
  if (busy || document.hidden || !dirty) return;
  busy = true;
  dirty = false;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (answer.ok) put(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    document.body.classList.add("offline"); // the next news, or the next steady look, tries again
  } finally {
    setTimeout(() => { busy = false; refresh(); }, LEAST_MS);
  }
}

function put(fresh) {
  document.body.classList.remove("offline");
  for (const part of document.querySelectorAll("[data-part][id]")) {
    const next = fresh.getElementById(part.id);
    if (!next || next.innerHTML === part.dataset.was || part.contains(selected())) continue;
    const focus = part.contains(document.activeElement) ? path(part, document.activeElement) : null;
    const open = [...part.querySelectorAll("details[open][id]")].map((each) => each.id);
    const was = next.innerHTML;
    part.innerHTML = was;
    part.dataset.was = was;
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (focus) follow(part, focus)?.focus({ preventScroll: true });
  }
}

// Where somebody marks text, nothing is exchanged under the mouse.
function selected() {
  const marked = getSelection();
  return marked && !marked.isCollapsed ? marked.anchorNode : null;
}

function path(root, element) {
  const steps = [];
  for (let at = element; at !== root; at = at.parentElement) steps.unshift([...at.parentElement.children].indexOf(at));
  return steps;
}

function follow(root, steps) {
  return steps.reduce((at, step) => at?.children[step], root);
}

function beat(events) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  for (const [name, count] of Object.entries(events)) {
    for (const curve of document.querySelectorAll(`.beat[data-event="${CSS.escape(name)}"]`)) {
      curve.classList.remove("on");
      curve.getBoundingClientRect(); // or the browser would not see that the animation begins anew
      curve.classList.toggle("many", count > BEATS_MAX);
      curve.classList.add("on");
    }
  }
}

function heard(message) {
  const news = JSON.parse(message.data);
  const ours = about === "all" || news.orders === null || news.orders.includes(about);
  if (ours) { dirty = true; refresh(); }
  beat(news.events);
}

// A page that nobody sees listens to nothing: a browser keeps six connections to one server, whatever its tabs.
function listen() {
  if (source || document.hidden) return;
  source = new EventSource("/live");
  source.addEventListener("news", heard);
  source.addEventListener("error", () => document.body.classList.add("offline"));
}

function rest() {
  source?.close();
  source = null;
}

if (about !== "none") {
  listen();
  addEventListener("pagehide", rest);
  addEventListener("pageshow", listen);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) rest(); else listen();
    dirty = true;
    refresh();
  });
  setInterval(() => { dirty = true; refresh(); }, STEADY_MS);
}
