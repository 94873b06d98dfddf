// By require, not by import: its ES module is beyond Node.js 20.9.
import sharp = require("sharp");

export { sharp };
