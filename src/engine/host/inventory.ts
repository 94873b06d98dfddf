/** What engines and devices this machine has, and what is known of them: the rest of the house asks here. */
export { type Inventory, takeInventory } from "../cuda/inventory.js";
export { adviceOn } from "../onednn/advice.js";
export { installedLibraries } from "../onednn/native/find.js";
export { type AdapterInventory, listAdapters } from "../webgpu/adapter.js";
