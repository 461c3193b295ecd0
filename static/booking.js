// What the booking page does beyond htmx: arrow keys among what was found, and nothing that was typed is lost.
"use strict";

(() => {
  const isOurs = (event) => event.detail.ctx.request.form?.id === "request";
  const isTyped = (element) => element.matches("input[type=text], input:not([type])");
  // Fields that were changed and whose requests still wait for earlier ones: how many, and what was typed.
  const waiting = new Map();
  const typed = new Map();
  let unanswered = 0;
  let toSend = null;

  function countWaiting(field, step) {
    const count = (waiting.get(field) ?? 0) + step;
    if (count > 0) waiting.set(field, count);
    else waiting.delete(field);
  }

  document.addEventListener("htmx:config:request", (event) => {
    if (!isOurs(event)) return;
    unanswered += 1;
    if (isTyped(event.detail.ctx.sourceElement)) countWaiting(event.detail.ctx.sourceElement, 1);
  });

  // Requests wait for one another, and each takes the form as it is when it leaves: not as it was when it was asked for.
  document.addEventListener("htmx:before:request", (event) => {
    if (!isOurs(event)) return;
    const { request, sourceElement } = event.detail.ctx;
    const body = new URLSearchParams(new FormData(request.form));
    if (sourceElement.type === "submit") body.append(sourceElement.name, sourceElement.value);
    request.body = body;
    countWaiting(sourceElement, -1);
  });

  // An answer knows nothing of what was typed after its question.
  document.addEventListener("htmx:before:swap", () => {
    typed.clear();
    for (const field of waiting.keys()) typed.set(field, field.value);
  });

  // What somebody has unfolded stays so: the server does not know of it.
  const unfolded = new Set();
  document.addEventListener("htmx:before:swap", () => {
    unfolded.clear();
    for (const fold of document.querySelectorAll("details[data-keep-open][open]")) unfolded.add(fold.id);
  });

  // A swap leaves the field with the focus alone: it takes its new value if nobody has typed on.
  document.addEventListener("htmx:after:swap", (event) => {
    if (!isOurs(event)) return;
    for (const [field, value] of typed) field.value = value;
    for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
    if (narrow.matches && document.activeElement?.id === "find") showHits();
    if (document.activeElement === document.body) document.querySelector("[data-focus]")?.focus();
    const field = document.activeElement;
    if (!isTyped(field) || waiting.has(field)) return;
    if (event.detail.ctx.request.body.get(field.name) === field.value) field.value = field.getAttribute("value") ?? "";
  });

  // On a phone the bar with the Book button would cover what was found.
  const narrow = matchMedia("(max-width: 48rem)");
  function showHits() {
    const list = document.getElementById("hits")?.getBoundingClientRect();
    if (list && list.top + 100 > innerHeight) document.getElementById("finder").scrollIntoView();
  }

  // Without an answer nothing is swapped, and nothing that was typed is lost: say so where answers of refusal stand.
  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx && isOurs(event)) document.getElementById("unanswered").hidden = false;
  });

  const hits = () => [...document.querySelectorAll("#hits button")];

  function moveAmongHits(event) {
    const all = hits();
    const here = all.indexOf(event.target);
    const next = here + (event.key === "ArrowDown" ? 1 : -1);
    if (!all.length || next >= all.length) return;
    event.preventDefault();
    (all[next] ?? document.getElementById("find")).focus();
  }

  document.addEventListener("keydown", (event) => {
    const inFinder = event.target.closest?.("#finder");
    if (inFinder && (event.key === "ArrowDown" || event.key === "ArrowUp")) moveAmongHits(event);
    else if (event.target.id === "find" && event.key === "Enter") {
      event.preventDefault();
      document.getElementById("search").click();
    } else if (inFinder && event.key === "Escape") {
      const find = document.getElementById("find");
      find.value = "";
      find.focus();
      find.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });

  // Book waits for what is still on its way, such as a studio that was just added; a second press does nothing, since it
  // would clash with the booking that the first one makes.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-sent]")) event.preventDefault();
    else if (form.id === "request" && unanswered > 0) {
      event.preventDefault();
      toSend = event.submitter;
    } else form.dataset.sent = "";
  });
  document.addEventListener("htmx:finally:request", (event) => {
    if (!isOurs(event)) return;
    unanswered -= 1;
    if (event.detail.ctx.status !== "swapped" || event.detail.ctx.response.status >= 400) toSend = null;
    if (unanswered > 0 || !toSend) return;
    const button = toSend;
    toSend = null;
    button.form.requestSubmit(button);
  });
  window.addEventListener("pageshow", () => document.querySelector("[data-sent]")?.removeAttribute("data-sent"));
})();
