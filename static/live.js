// What an open status page does beyond htmx: it can be paused, says when the server is gone, and keeps the focus.
"use strict";

(() => {
  const pause = document.getElementById("pause");
  const paused = document.getElementById("paused");
  const adrift = document.getElementById("adrift");
  const isLive = (event) => event.target.closest?.("[data-live]");

  pause.hidden = false;
  pause.addEventListener("click", () => {
    const now = pause.getAttribute("aria-pressed") !== "true";
    pause.setAttribute("aria-pressed", String(now));
    paused.hidden = !now;
  });

  // Neither a paused page nor one that nobody sees asks for anything; the next question covers the time between.
  document.addEventListener("htmx:before:request", (event) => {
    if (isLive(event) && (document.hidden || pause.getAttribute("aria-pressed") === "true")) event.preventDefault();
  });

  const tellContact = (lost) => (event) => {
    if (isLive(event) && adrift.hidden === lost) adrift.hidden = !lost;
  };
  document.addEventListener("htmx:after:request", (event) => tellContact(event.detail.ctx.response.status >= 500)(event));
  document.addEventListener("htmx:error", tellContact(true));

  // A swap may take the focused element away, or hide it: then its successor has the focus, or the heading of the wall.
  let focused = document.body;
  document.addEventListener("htmx:before:swap", () => { focused = document.activeElement; });
  document.addEventListener("htmx:after:swap", () => {
    tellTimes();
    if (focused === document.body || (focused.isConnected && focused.checkVisibility())) return;
    const successor = focused.id && document.getElementById(focused.id);
    (successor?.checkVisibility?.() ? successor : document.getElementById("h-wall")).focus({ preventScroll: true });
  });

  // A tile's name is written once, for screen readers; the pointer gets it from there.
  document.addEventListener("pointerover", (event) => {
    const tile = event.target.closest?.(".tile[aria-label]");
    if (tile) tile.title = tile.getAttribute("aria-label");
  });

  const minutes = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: "minute" });
  function tellTimes() {
    for (const element of document.querySelectorAll("time[data-until]")) {
      const left = Math.ceil((Date.parse(element.dateTime) - Date.now()) / 60000);
      element.textContent = minutes.format(Math.max(left, 0));
    }
    tellAges();
  }
  setInterval(tellTimes, 1000);
})();
