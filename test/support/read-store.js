// Reads every picture of a store and tells its parent: run as a process of its own by batches.test.ts.
const { openStore } = await import("../../dist/store/store.js");
const { batches } = await import("../../dist/store/reading/batches.js");

const store = await openStore(process.argv[2]);
let read = 0;
for await (const batch of batches(store, { split: "train", views: "centre", batchSize: 10, cropSize: 227 })) {
  read += batch.samples.length;
  batch.release();
}
await store.close();
process.send(`${store.contentHash} ${read}`);
process.disconnect();
