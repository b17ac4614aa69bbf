// Switches views without loading the page anew, and shows a changed template within two seconds. Without it, links do.
const every = 2000;
let turn = 0;

async function show(url, { remember = true } = {}) {
  const mine = ++turn;
  const answer = await fetch(url).catch(() => null);
  if (mine !== turn) return; // somebody has clicked on meanwhile
  if (!answer?.ok) return void (remember && location.assign(url));
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("preview");
  if (!fresh) return void (remember && location.assign(url));
  const focus = place(document.activeElement);
  const open = document.querySelector("details.links")?.open;
  const scroll = scrollY;
  document.getElementById("preview").replaceWith(fresh);
  document.title = page.title;
  if (remember) history.pushState(null, "", url);
  if (open) document.querySelector("details.links")?.setAttribute("open", "");
  if (focus) document.querySelector(focus)?.focus({ preventScroll: true });
  scrollTo(0, scroll);
}

// Where the focus was, as a selector that finds the same place in the new page.
function place(element) {
  if (element?.id && element.closest("#preview")) return `#${element.id}`;
  const links = [...document.querySelectorAll("#preview nav a")];
  const index = links.indexOf(element);
  return index < 0 ? "" : `#preview nav a:nth-of-type(${index + 1})`;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("#preview nav a:not([download])");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  show(link.href);
});

document.addEventListener("change", (event) => {
  if (event.target.matches(".choose select")) event.target.form.requestSubmit();
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches(".choose")) return;
  event.preventDefault();
  show(`${event.target.action}?${new URLSearchParams(new FormData(event.target))}`);
});

addEventListener("popstate", () => show(location.href, { remember: false }));

setInterval(async () => {
  const page = document.getElementById("preview");
  if (document.hidden || !page) return;
  const answer = await fetch(page.dataset.since).catch(() => null);
  if (!answer?.ok) return;
  const { stamp } = await answer.json();
  if (stamp !== page.dataset.stamp && page.isConnected) show(location.href, { remember: false });
}, every);
