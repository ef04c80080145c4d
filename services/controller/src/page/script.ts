/**
 * What the page runs, where scripts run at all: it asks for itself again and shows what has changed, until it is paused. What was opened, scrolled and focused stays; a
 * change of the mesh's state is read out. All text of the answer was escaped where the page was made, and the policy of the page lets nothing run but this.
 */
export const SCRIPT = `
"use strict";
(() => {
  const EVERY = 10000;
  const [button, news] = [document.getElementById("pause"), document.getElementById("news")];
  let isPaused = false;
  let failures = 0;
  const keyed = () => [...document.querySelectorAll("main [id], main .scrolling, main summary")];
  const keyOf = (element) => element.tagName + "/" + (element.id || element.getAttribute("aria-label") || (element.parentElement && element.parentElement.id) || "");
  const show = (text) => {
    const page = new DOMParser().parseFromString(text, "text/html");
    const [main, verdict] = [page.querySelector("main"), page.getElementById("verdict")];
    if (main === null || verdict === null) throw new Error("this is no status page");
    const before = document.getElementById("verdict");
    const kept = new Map(keyed().map((element) => [keyOf(element), { open: element.open, left: element.scrollLeft, top: element.scrollTop }]));
    const active = document.activeElement;
    const focused = active !== null && document.querySelector("main").contains(active) ? keyOf(active) : undefined;
    document.querySelector("main").replaceChildren(...document.adoptNode(main).childNodes);
    if (before.dataset.state !== verdict.dataset.state) news.textContent = verdict.querySelector("strong").textContent;
    before.replaceWith(document.adoptNode(verdict));
    for (const element of keyed()) {
      const was = kept.get(keyOf(element));
      if (was === undefined) continue;
      if (was.open === true) element.open = true;
      element.scrollLeft = was.left;
      element.scrollTop = was.top;
      if (keyOf(element) === focused) element.focus({ preventScroll: true });
    }
  };
  const ask = async () => {
    if (!isPaused && !document.hidden) {
      try {
        const answer = await fetch(location.pathname, { cache: "no-store", redirect: "error", signal: AbortSignal.timeout(EVERY) });
        if (!answer.ok) throw new Error(String(answer.status));
        const text = await answer.text();
        if (!isPaused) show(text);
        if (failures > 0) news.textContent = "The controller answers again.";
        failures = 0;
      } catch {
        failures += 1;
        if (failures === 1) news.textContent = "The controller gives no answer: what is shown is old.";
      }
    }
    setTimeout(ask, EVERY);
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    isPaused = !isPaused;
    button.textContent = isPaused ? "Go on updating" : "Pause updates";
  });
  setTimeout(ask, EVERY);
})();
`;
