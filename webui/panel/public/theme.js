// Before the first paint: a chosen theme is not to flash in the other one.
(function () {
  try {
    var theme = localStorage.getItem("wakil.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // No storage (private window): the system's preference stands.
  }
})();
