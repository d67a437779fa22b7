// Two small Vite plugins: the theme boot script under a hashed name, and a .gz beside each asset.
//
// Must hold: the boot script stays a *classic* script in <head> (a module runs after the first
// paint), and `.gz` bytes depend on the input alone, so that two builds of one tree are identical.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const BOOT_FILE = join(import.meta.dirname, "theme-boot.js");
const BOOT_PATH = "/theme-boot.js";
/** Stands in index.html for the script, which Vite would otherwise warn about: it bundles modules only. */
const BOOT_MARK = "<!--theme-boot-->";
const COMPRESSIBLE = /\.(js|css|html|svg|json)$/;
/** Below this a gzip header costs more than it saves. */
const GZIP_BYTES_MIN = 256;

export function themeBoot(): Plugin {
  let building = false;
  let fileName = "";
  return {
    name: "tinyobs-theme-boot",
    configResolved(config) {
      building = config.command === "build";
    },
    configureServer(server) {
      server.middlewares.use(BOOT_PATH, (_req, res) => {
        res.setHeader("Content-Type", "text/javascript");
        res.end(readFileSync(BOOT_FILE));
      });
    },
    buildStart() {
      if (!building) return;
      const source = readFileSync(BOOT_FILE);
      const hash = createHash("sha256").update(source).digest("base64url").slice(0, 8);
      fileName = `assets/theme-boot-${hash}.js`;
      this.emitFile({ type: "asset", fileName, source });
    },
    transformIndexHtml: {
      order: "post",
      handler: (html) => html.replace(BOOT_MARK, `<script src="${fileName ? `./${fileName}` : BOOT_PATH}"></script>`),
    },
  };
}

export function precompress(): Plugin {
  let outDir = "dist";
  return {
    name: "tinyobs-precompress",
    apply: "build",
    configResolved(config) {
      outDir = config.build.outDir;
    },
    // Not `closeBundle`, which runs after a failed build too and would hide its error.
    writeBundle() {
      for (const file of filesUnder(outDir)) {
        if (!COMPRESSIBLE.test(file) || statSync(file).size < GZIP_BYTES_MIN) continue;
        const plain = readFileSync(file);
        const packed = gzipSync(plain, { level: 9 });
        if (packed.length < plain.length) writeFileSync(`${file}.gz`, packed);
      }
    },
  };
}

function filesUnder(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}
