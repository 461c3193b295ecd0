// Dragging the meeting along the timeline, or its ends: in steps of five minutes, and by keyboard the same.
"use strict";

(() => {
  const STEP = 5 * 60_000;
  const COLUMNS = 120;
  let drag = null;

  const columnOf = (element, side) => Number([...element.classList].find((name) => name.startsWith(`${side}-`))?.split("-")[1]);
  const clamp = (number, least, most) => Math.min(Math.max(number, least), most);

  function place(slot, first, last) {
    slot.className = slot.className.replace(/\b(from|to)-\d+/g, "").trim();
    slot.classList.add(`from-${first}`, `to-${last}`);
  }

  function at(steps) {
    const { zone, start } = drag;
    return new Intl.DateTimeFormat("nb", { hour: "2-digit", minute: "2-digit", timeZone: zone }).format(start + steps * STEP);
  }

  // How far each end of the meeting moves for so many steps of the pointer: never off the axis, never shorter than a step.
  function moved(steps) {
    const { first, last, what } = drag;
    if (what === "start") return [clamp(steps, -first, last - first - 1), 0];
    if (what === "end") return [0, clamp(steps, first - last + 1, COLUMNS - last)];
    const both = clamp(steps, -first, COLUMNS - last);
    return [both, both];
  }

  document.addEventListener("pointerdown", (event) => {
    const handle = event.target.closest?.("#timeline[data-start] [data-drag]");
    const slot = document.getElementById("slot");
    if (!handle || !slot || event.button !== 0) return;
    const timeline = document.getElementById("timeline");
    const start = Date.parse(timeline.dataset.start);
    drag = {
      slot,
      what: handle.dataset.drag,
      from: event.clientX,
      width: slot.parentElement.getBoundingClientRect().width / COLUMNS,
      first: columnOf(slot, "from"),
      last: columnOf(slot, "to"),
      start,
      zone: timeline.dataset.zone,
      minutes: Number(timeline.dataset.minutes),
      steps: [0, 0],
    };
    drag.text = slot.querySelector(".slot__flag").textContent;
    document.documentElement.classList.add("is-dragging");
    event.preventDefault();
  });

  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    drag.steps = moved(Math.round((event.clientX - drag.from) / drag.width));
    const [before, after] = drag.steps;
    place(drag.slot, drag.first + before, drag.last + after);
    drag.slot.querySelector(".slot__flag").textContent = `${at(before)}–${at(drag.minutes / 5 + after)}`;
  });

  function drop(keeps) {
    if (!drag) return;
    const { steps, slot, first, last, start, minutes, text } = drag;
    const [before, after] = steps;
    drag = null;
    document.documentElement.classList.remove("is-dragging");
    if (keeps && (before || after)) {
      const button = document.getElementById("dragged");
      button.value = `${new Date(start + before * STEP).toISOString()}/${minutes + (after - before) * 5}`;
      button.click();
    } else {
      place(slot, first, last);
      slot.querySelector(".slot__flag").textContent = text;
    }
  }

  document.addEventListener("pointerup", () => drop(true));
  document.addEventListener("pointercancel", () => drop(false));

  const keys = { ArrowLeft: ["earlier", "shorter"], ArrowRight: ["later", "longer"] };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") drop(false);
    else if (event.key in keys && event.target.closest?.(".lane--all")) {
      const button = document.getElementById(keys[event.key][event.shiftKey ? 1 : 0]);
      if (!button) return;
      event.preventDefault();
      button.click();
    }
  });

  document.documentElement.classList.add("drags");
})();
