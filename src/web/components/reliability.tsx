import type { Calibration } from "../../scoring/calibration.js";
import { thousands } from "../../text.js";
import { share, wholeShare } from "../format.js";
import { Table } from "./table.js";

const WIDTH = 440;
const HEIGHT = 290;
const px = (value: number): number => 52 + value * (WIDTH - 74);
const py = (value: number): number => HEIGHT - 40 - value * (HEIGHT - 60);
const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1];

/** The reliability curve: a bar for each confidence, up to how often it was right. */
export function Reliability({ calibration }: { readonly calibration: Calibration }) {
  const { bins, expectedError, maximumError } = calibration;
  const filled = bins.filter(({ count }) => count > 0);
  const most = Math.max(...filled.map(({ count }) => count));
  return (
    <>
      <p>
        How sure the network was, and how often it was right then. On the line the two agree; below it the network is
        too sure of itself. The mean distance (expected calibration error) is <strong>{share(expectedError)}</strong>,
        the largest of a bar {share(maximumError)}. The darker a bar, the more pictures it stands for.
      </p>
      <svg
        class="reliability"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="img"
        aria-label={`Reliability curve: expected calibration error ${share(expectedError)}`}
      >
        {ticks.map((value) => (
          <g key={value}>
            <line class="grid" x1={px(0)} x2={px(1)} y1={py(value)} y2={py(value)} />
            <text x={px(0) - 6} y={py(value)} dy="4" text-anchor="end">
              {wholeShare(value)}
            </text>
            <text x={px(value)} y={py(0) + 16} text-anchor="middle">
              {wholeShare(value)}
            </text>
          </g>
        ))}
        <text x={px(0.5)} y={HEIGHT - 6} text-anchor="middle">
          confidence
        </text>
        <text x="8" y="12">
          share that was right
        </text>
        {filled.map(({ low, high, count, accuracy, confidence }) => (
          <rect
            key={low}
            x={px(low) + 1}
            width={px(high) - px(low) - 2}
            y={py(accuracy)}
            height={py(0) - py(accuracy)}
            fill-opacity={(0.25 + 0.75 * (count / most)).toFixed(2)}
          >
            <title>
              {thousands(count)} pictures, sure by {share(confidence)} on average, {share(accuracy)} right
            </title>
          </rect>
        ))}
        <line class="ideal" x1={px(0)} y1={py(0)} x2={px(1)} y2={py(1)} />
      </svg>
      <details>
        <summary>The numbers</summary>
        <Table
          label="Calibration"
          file="calibration"
          rows={filled}
          keyOf={({ low }) => low}
          columns={[
            {
              name: "confidence",
              value: ({ low, high }) => `${wholeShare(low)} to ${wholeShare(high)}`,
            },
            { name: "pictures", value: ({ count }) => count, show: ({ count }) => thousands(count) },
            {
              name: "mean confidence",
              value: ({ confidence }) => confidence,
              show: ({ confidence }) => share(confidence),
            },
            { name: "right", value: ({ accuracy }) => accuracy, show: ({ accuracy }) => share(accuracy) },
          ]}
        />
      </details>
    </>
  );
}
