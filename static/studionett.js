// What the pages do beyond htmx: ages that count on, and nothing else that a page would need to work.
"use strict";

function tellAges() {
  const words = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "always", style: "short" });
  for (const element of document.querySelectorAll("time[data-age]")) {
    const seconds = Math.round((Date.parse(element.dateTime) - Date.now()) / 1000);
    const minutes = Math.trunc(seconds / 60);
    element.textContent = minutes ? words.format(minutes, "minute") : words.format(Math.min(seconds, 0), "second");
  }
}

tellAges();
setInterval(tellAges, 1000);
