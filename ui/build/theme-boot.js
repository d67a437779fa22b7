// Sets the theme before the first paint, so a dark screen never flashes white.
//
// A classic script of its own because the server's Content-Security-Policy forbids inline ones.
// Must agree with src/state/theme.ts on the storage key and on the attribute.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem("tinyobs-theme");
  } catch (_) {
    // Storage may be forbidden; then the system's choice is used.
  }
  var dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
