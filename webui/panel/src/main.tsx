import { createRoot } from "react-dom/client";
import { App } from "./App";
import { applyLanguage } from "./words";
import "./styles/fonts.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/frame.css";
import "./styles/parts.css";
import "./styles/rows.css";
import "./styles/chain.css";
import "./styles/run.css";
import "./styles/overlays.css";
import "./styles/pages.css";
import "./styles/small.css";
import "./styles/phone.css";

applyLanguage();
const root = document.getElementById("root");
if (root) createRoot(root).render(<App />);
