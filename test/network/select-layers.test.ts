import { expect, test } from "vitest";
import { paper } from "#src/network/architectures/paper.js";
import { learningLayers, selectLayers } from "#src/network/select-layers.js";

test.each([
  ["conv1", "conv1"],
  ["conv1..conv5", "conv1 conv2 conv3 conv4 conv5"],
  ["fc7, conv1..conv2,conv2", "conv1 conv2 fc7"],
  ["fc8..fc8", "fc8"],
])("%s are %s", (text, names) => {
  expect(selectLayers(paper, text)).toEqual(names.split(" "));
});

test.each([
  ["conv9", /^conv9: paper has no layer of this name that learns; there are conv1, conv2, .*, fc8$/],
  ["pool1", /pool1: paper has no layer/],
  ["", /\(nothing\): paper has no layer/],
  ["conv1..", /\(nothing\): paper has no layer/],
  ["conv5..conv1", /conv1 comes before conv5; turn the range round/],
  ["conv1..conv2..conv3", /a range is two names/],
])("%s is refused", (text, message) => {
  expect(() => selectLayers(paper, text)).toThrow(message);
});

test("layers that learn have parameters", () => {
  expect(learningLayers(paper)).toEqual(["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"]);
});
