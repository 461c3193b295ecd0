// An open conference page that gets no answers says so, and takes it back with the next answer. What can be undone no
// longer is not offered any more.
"use strict";

(() => {
  const adrift = document.getElementById("adrift");
  const isLive = (event) => event.detail.ctx?.sourceElement?.id === "live";

  document.addEventListener("htmx:after:request", (event) => {
    if (isLive(event)) adrift.hidden = event.detail.ctx.response.status < 400;
  });
  document.addEventListener("htmx:error", (event) => {
    if (isLive(event)) adrift.hidden = false;
  });

  setInterval(() => {
    const undo = document.getElementById("undo");
    if (undo && Date.parse(undo.dataset.until) < Date.now()) undo.remove();
  }, 1000);
})();
