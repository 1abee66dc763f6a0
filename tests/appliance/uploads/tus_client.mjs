// The tus client of browsers, driven from the command line:
//   node tus_client.mjs PACKAGE_JSON '{"endpoint", "file", "name", "folder", "headers", "chunkSize", "store", "stopAt", "terminate"}'
// PACKAGE_JSON: of the package that has tus-js-client. Prints one line of JSON.
import { createReadStream, statSync } from "node:fs";
import { createRequire } from "node:module";

const [, , packageJson, given] = process.argv;
const tus = createRequire(packageJson)("tus-js-client");
const { endpoint, file, name, folder, headers, chunkSize, store, stopAt, terminate } = JSON.parse(given);

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
  metadata: { filename: name, folder: folder ?? "" },
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

const before = store ? await upload.findPreviousUploads() : [];
if (before.length) upload.resumeFromPreviousUpload(before[0]);
upload.start();
