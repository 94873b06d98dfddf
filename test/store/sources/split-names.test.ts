import { expect, test } from "vitest";
import { roleOf, rolesOf } from "#src/store/sources/split-names.js";

test.each([
  ["train", "train"],
  ["Training", "train"],
  ["TRAIN", "train"],
  ["train-00001-of-00004.parquet", "train"],
  ["cifar10-train01.tar", "train"],
  ["trainImages", "train"],
  ["trainval", "train"],
  ["val", "val"],
  ["Validation", "val"],
  ["valid_set", "val"],
  ["dev", "val"],
  ["holdout", "val"],
  ["Testing", "test"],
  ["test_set", "test"],
  ["valley", undefined],
  ["strain", undefined],
  ["contest", undefined],
  ["Trainer", undefined],
  ["evaluator", undefined],
] as const)("the name %s speaks of %s", (name, role) => {
  expect(roleOf(name)).toBe(role);
});

test.each([
  [["Training", "Testing"], { Training: "train", Testing: "test" }],
  [["training_set", "test_set"], { training_set: "train", test_set: "test" }],
  [["seg_pred", "seg_test", "seg_train"], { seg_test: "test", seg_train: "train" }],
  [["asl_alphabet_train", "asl_alphabet_test"], { asl_alphabet_train: "train", asl_alphabet_test: "test" }],
  [["train_images", "test images", "docs"], { train_images: "train", "test images": "test" }],
  [["freight train", "bus"], {}],
  [["steam train", "train station"], {}],
  [["crash test dummy", "car"], {}],
] as const)("of the folders %j the roles are %j", (folders, roles) => {
  expect(Object.fromEntries(rolesOf(folders))).toEqual(roles);
});
