import type { Chart, Series } from "../drawing/chart.js";
import { shortPercent } from "../text.js";
import type { ScalingPrediction } from "./scaling.js";

/** Predictions for one wire. */
export interface WirePrediction {
  /** "10 Gbit/s" */
  readonly name: string;
  readonly predictions: readonly ScalingPrediction[];
}

/**
 * What others reached with networks whose parameters are fully connected layers' for the most part. Sun et al. 2019,
 * "Optimizing Network Performance for Distributed DNN Training on GPU Clusters": 410 times as fast on 512 GPUs. Horovod's
 * benchmarks: 512 Pascal GPUs, 4 to a server on 25 Gbit/s.
 */
const published: readonly Series[] = [
  { name: "Sun 2019: AlexNet on 512 GPUs", points: [{ x: 9, y: 0.8 }] },
  { name: "Horovod: VGG-16 on 512 GPUs", points: [{ x: 9, y: 0.68 }] },
];

/** Share of linear growth over nodes, a chart for each way to divide the network. */
export function scalingCharts(wires: readonly WirePrediction[]): readonly Chart[] {
  const chart = (title: string, way: "plain" | "hybrid", more: readonly Series[]): Chart => ({
    title,
    x: { label: "nodes", whole: true, format: (power) => String(2 ** power) },
    y: { low: 0, high: 1, format: shortPercent },
    series: [
      ...wires.map(({ name, predictions }) => ({
        name,
        points: predictions.map((one) => ({ x: Math.log2(one.nodes), y: one[way].efficiency })),
      })),
      ...more,
    ],
  });
  return [
    chart("Of linear growth, every node has all layers", "plain", published),
    chart("Of linear growth, fully connected layers split", "hybrid", []),
  ];
}
