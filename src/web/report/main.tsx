import { render } from "preact";
import type { ReportData } from "../../report/data.js";
import "../style/tokens.css";
import "../style/base.css";
import "../style/parts.css";
import "./report.css";
import { Report } from "./report.js";

const [data, place] = ["data", "page"].map((id) => document.getElementById(id));
if (place && data?.textContent) render(<Report data={JSON.parse(data.textContent) as ReportData} />, place);
// A link to a section was followed before there were any.
if (location.hash) document.querySelector(location.hash)?.scrollIntoView();
