// Starts the page: the theme, the charts, then the companies, which take longer to unpack.

function startTheme() {
  const button = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const show = (theme) => {
    document.documentElement.dataset.theme = theme;
    button.setAttribute("aria-pressed", String(theme === "dark"));
  };
  show(dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => show(dark.matches ? "dark" : "light"));
  button.addEventListener("click", () => show(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
  button.disabled = false;
}

startTheme();
const data = JSON.parse(document.getElementById("data").textContent);
startGenres(data);
startQuality(data);
startCompanies(data);
