// An open conference page that gets no answers says so, and takes it back with the next answer.
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
})();
