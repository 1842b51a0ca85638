// What htmx is told beside its attributes: when not to ask, and what to say when the answer does not come.
(() => {
  const root = document.documentElement;
  const following = () => document.getElementById("follow")?.checked ?? true;

  document.addEventListener("htmx:before:request", (event) => {
    const polls = event.detail.ctx.sourceElement?.id === "live";
    if (polls && (document.hidden || !following())) event.preventDefault();
  });

  // A form that is previewed while somebody types: its token belongs into no address.
  document.addEventListener("htmx:config:request", (event) => {
    const request = event.detail.ctx.request;
    if (request.method.toUpperCase() === "GET") request.body?.delete?.("csrfmiddlewaretoken");
  });

  // A poll that was led to the sign-in page: go there as a whole instead of drawing it into this one.
  document.addEventListener("htmx:before:response", (event) => {
    if (!event.detail.ctx.response.raw.redirected) return;
    event.preventDefault();
    window.location.reload();
  });

  const lose = () => { root.dataset.link = "lost"; };
  document.addEventListener("htmx:error", lose);
  document.addEventListener("htmx:response:error", lose);
  document.addEventListener("htmx:after:request", (event) => {
    if (event.detail.ctx.response.status < 400) delete root.dataset.link;
  });
})();
