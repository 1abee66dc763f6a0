// The tus client of browsers, driven from the command line:
//   node tus_client.mjs PACKAGE_JSON '{"endpoint", "file", "name", "folder", "headers", "chunkSize", "store", "stopAt", "terminate", "known"}'
// PACKAGE_JSON: of the package that has tus-js-client. Prints one line of JSON.
import { createHash } from "node:crypto";
import { createReadStream, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";

const [, , packageJson, given] = process.argv;
const tus = createRequire(packageJson)("tus-js-client");
const { endpoint, file, name, folder, headers, chunkSize, store, stopAt, terminate, known } = JSON.parse(given);

let fileId = null;
let requests = 0;
const say = (told) => {
  console.log(JSON.stringify({ ...told, fileId, requests }));
  process.exit(0);
};

const upload = new tus.Upload(createReadStream(file), {
  endpoint,
  headers,
  chunkSize: chunkSize ?? Infinity,
  uploadSize: statSync(file).size,
  metadata: { filename: name, folder: folder ?? "", modified: String(Math.floor(statSync(file).mtimeMs)) },
  retryDelays: [100, 300, 500, 1000, 2000, 3000, 3000],
  urlStorage: store ? new tus.FileUrlStorage(store) : undefined,
  storeFingerprintForResuming: Boolean(store),
  fingerprint: async () => `mantel-${file}`,
  onAfterResponse: (_request, response) => {
    requests += 1;
    fileId = response.getHeader("Mantel-File") ?? fileId;
  },
  onProgress: async (sent) => {
    if (stopAt && sent >= stopAt) {
      await upload.abort(Boolean(terminate));
      say({ stopped: true, url: upload.url });
    }
  },
  onError: (error) => say({ error: String(error) }),
  onSuccess: () => say({ url: upload.url }),
});

// As the page does: what is there already is not sent.
if (known) {
  const sha256 = createHash("sha256").update(readFileSync(file)).digest("hex");
  const body = JSON.stringify({ files: [{ name, size: statSync(file).size, sha256 }] });
  const asked = await fetch(known, { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body });
  const [found] = (await asked.json()).files;
  if (found.known) say({ found });
  if (found.upload) upload.url = new URL(found.upload, endpoint).href;
}
const before = store ? await upload.findPreviousUploads() : [];
if (before.length) upload.resumeFromPreviousUpload(before[0]);
upload.start();
