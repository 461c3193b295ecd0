// What the booking page does beyond htmx: arrow keys among the studios found, and in the lane of free times.
"use strict";

(() => {
  // Requests wait for one another, and each takes the form as it is when it leaves: not as it was when it was asked for.
  document.addEventListener("htmx:before:request", (event) => {
    const { request, sourceElement } = event.detail.ctx;
    if (request.form?.id !== "request") return;
    const body = new URLSearchParams(new FormData(request.form));
    if (sourceElement.type === "submit") body.append(sourceElement.name, sourceElement.value);
    request.body = body;
  });

  // A swap leaves the field with the focus alone. It may take the new value if nobody has typed on since it was sent.
  document.addEventListener("htmx:after:swap", (event) => {
    const { request } = event.detail.ctx;
    const field = document.activeElement;
    if (request.form?.id !== "request" || !field.matches("input[type=text], input:not([type])")) return;
    if (request.body.get(field.name) === field.value) field.value = field.getAttribute("value") ?? "";
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
    } else if (event.target.closest?.(".lane--all") && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
      event.preventDefault();
      document.getElementById(event.key === "ArrowLeft" ? "earlier" : "later").click();
    }
  });

  // A second press on Book while the first is on its way would clash with the booking that the first one makes.
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-sent]")) event.preventDefault();
    event.target.dataset.sent = "";
  });
  window.addEventListener("pageshow", () => document.querySelector("[data-sent]")?.removeAttribute("data-sent"));
})();
