// What a page does better with JavaScript: guess the time zone, filter topics while one types, try a search while one
// pauses. Everything works without it.

const select = document.querySelector("select[data-guess]");
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const place = select && [...select.options].find((option) => option.value === zone);
if (place) place.selected = true;

// Topics: what is chosen stays, whatever is looked for.
const search = document.getElementById("q");
const found = document.getElementById("found");
if (search && found) {
  const topics = [...document.querySelectorAll("#topics .topic")].map((element) => ({
    element,
    box: element.querySelector("input"),
    text: ` ${element.textContent} ${element.dataset.words}`.toLowerCase().replace(/\s+/g, " "),
  }));
  const shownBefore = document.querySelector("[name=shown_q]");
  if (!search.value) {
    found.setAttribute("role", "status");
    const hint = found.textContent;
    const begins = (text, word) => text.includes(` ${word}`) || (word.length > 2 && text.includes(word));
    const filter = () => {
      const words = search.value.toLowerCase().replaceAll('"', " ").split(/\s+/).filter(Boolean);
      let count = 0;
      for (const { element, box, text } of topics) {
        const isFound = words.every((word) => begins(text, word));
        count += isFound;
        element.hidden = !isFound && !box.checked;
      }
      const { says, none } = found.dataset;
      found.textContent = !words.length ? hint : count ? says.replace("{num}", count) : none;
      shownBefore.value = search.value; // the Enter key has nothing to look for any more
    };
    search.addEventListener("input", filter);
    search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
    });
    search.parentElement.querySelector("button").hidden = true;
    filter();
  }
}

// A search of one's own: asked of the server once typing pauses; never with the address.
const query = document.getElementById("query");
const trial = document.getElementById("trial");
if (query && trial && trial.dataset.try) {
  const asked = ["query", "cadence", "at", "weekday", "timezone", "locale"];
  const said = document.createElement("p");
  said.className = "hidden";
  said.setAttribute("role", "status");
  trial.after(said);
  let timer, running;
  const show = (html) => {
    trial.innerHTML = html;
    const wrong = trial.querySelector(".wrong");
    query.toggleAttribute("aria-invalid", false);
    if (wrong) query.setAttribute("aria-invalid", "true");
    query.setAttribute("aria-describedby", wrong ? "wrong-query hint-query" : "hint-query");
    const told = wrong ? [wrong] : trial.querySelectorAll(".finding > p:not(.offer)");
    said.textContent = [...told].map((part) => part.textContent).join(" ");
  };
  const busy = () => {
    const sentence = document.createElement("p");
    sentence.className = "warning";
    sentence.textContent = trial.dataset.busy;
    trial.replaceChildren(sentence);
    said.textContent = trial.dataset.busy;
  };
  const ask = async () => {
    running?.abort();
    if (!query.value.trim()) return show("");
    running = new AbortController();
    const form = new FormData(query.form);
    const body = new URLSearchParams(asked.flatMap((name) => form.getAll(name).map((value) => [name, value])));
    try {
      const answer = await fetch(trial.dataset.try, {
        method: "POST",
        body,
        headers: { "X-Tocsin-Part": "trial" },
        signal: running.signal,
      });
      if (answer.ok) show(await answer.text());
      else busy();
    } catch (error) {
      if (error.name !== "AbortError") show(""); // the button is still there
    }
  };
  const soon = (pause) => {
    clearTimeout(timer);
    timer = setTimeout(ask, pause);
  };
  query.addEventListener("input", () => soon(700));
  for (const name of ["cadence", "at", "weekday", "timezone"]) {
    for (const field of query.form.querySelectorAll(`[name=${name}]`)) {
      field.addEventListener("change", () => query.value.trim() && soon(100));
    }
  }
}
