import { useState } from "react";

export type Theme = "system" | "light" | "dark";
const KEY = "wakil.theme";

function stored(): Theme {
  const value = document.documentElement.dataset["theme"];
  return value === "light" || value === "dark" ? value : "system";
}

function apply(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  try {
    if (theme === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // A private window keeps no choice: it holds until the page is closed.
  }
}

/** The chosen theme and how to change it. The first paint is the work of public/theme.js. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(stored);
  return [
    theme,
    (next) => {
      apply(next);
      setTheme(next);
    },
  ];
}
