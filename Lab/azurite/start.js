// Starts Azurite so that it stops cleanly, with everything saved, when its standard input closes. This works on every
// operating system, and also when the process that started it dies. Ctrl+C in the terminal reaches both, so Azurite
// ignores it: the process that started it decides when it stops.
const once = process.once.bind(process);
process.once = (event, listener) => (event === "SIGINT" ? process : once(event, listener));
process.on("SIGINT", () => {});
process.stdin.resume().on("end", () => process.emit("SIGTERM"));

// A client that keeps a connection open could delay the stop for a quarter of a minute. By now, all answers have been sent.
const { Server } = require("http");
const close = Server.prototype.close;
Server.prototype.close = function (...done) {
  setTimeout(() => this.closeAllConnections(), 200).unref();
  return close.apply(this, done);
};

// An Azurite whose parent was killed is still saving: it must have ended before another one reads the same folder.
const fs = require("fs");
const path = require("path");
const folder = process.argv[process.argv.indexOf("--location") + 1];
if (process.argv.includes("--location")) {
  fs.mkdirSync(folder, { recursive: true });
  const file = path.join(folder, "azurite.pid");
  for (let tries = 0; tries < 100 && isAlive(file); tries++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  }
  fs.writeFileSync(file, `${process.pid}`);
  process.on("exit", () => fs.rmSync(file, { force: true }));
}

function isAlive(file) {
  try {
    process.kill(Number(fs.readFileSync(file, "utf8")), 0);
    return true;
  } catch (e) {
    return e.code === "EPERM";
  }
}

// Azurite loads its telemetry client even with --disableTelemetry: 2,800 of 3,800 files, more than half of the start-up time.
require.cache[require.resolve("applicationinsights")] = { exports: {}, loaded: true, children: [] };
require("azurite/dist/src/azurite.js");
