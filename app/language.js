// what an address, this browser's memory and its settings say → the language of the page, before the app begins.

const KEPT = "socml:language";

// The first of them that the app speaks; nothing if it speaks none: the project's language is asked then.
export function languageOf(said, kept, preferred, spoken) {
  const names = [said, kept, ...preferred.map((tag) => tag.split("-")[0].toLowerCase())];
  return names.find((name) => spoken.includes(name)) ?? "";
}

// What Streamlit's calendars and lists speak: the browser's own kind of the language, if it has one.
export function tagOf(language, preferred) {
  return preferred.find((tag) => tag.split("-")[0].toLowerCase() === language) ?? language;
}

function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null; // a browser that keeps nothing
  }
}

// The address names a language from the start, so that a page that knows nobody yet speaks it too.
export function nameLanguage(history, spoken) {
  const address = new URL(location.href);
  const language = languageOf(address.searchParams.get("lang"), kept(), navigator.languages, spoken);
  if (!language || address.searchParams.get("lang") === language) return;
  address.searchParams.set("lang", language);
  history.replaceState(history.state, "", address);
}

let speaks = "";

// Called at every new address. One that changes the language of an open page is a choice, which this browser keeps.
export function speak() {
  const language = new URLSearchParams(location.search).get("lang");
  if (!language || language === speaks) return;
  if (speaks) {
    try {
      localStorage.setItem(KEPT, language);
    } catch {
      // as above
    }
  }
  speaks = language;
  document.documentElement.lang = language;
  const tag = tagOf(language, navigator.languages);
  Object.defineProperty(navigator, "language", { configurable: true, get: () => tag });
  window.dispatchEvent(new Event("languagechange"));
}
