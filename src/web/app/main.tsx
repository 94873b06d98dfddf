import { render } from "preact";
import "../style/tokens.css";
import "../style/base.css";
import "../style/parts.css";
import "./app.css";
import { App } from "./app.js";

const place = document.getElementById("app");
if (place) render(<App />, place);
