/** Every entry that needs no optional peer loads by `require` and by `import`, as one and the same module. */
const entries = ["s3-bucket-keys", "s3-bucket-keys/policy-file", "s3-bucket-keys/testing"];

async function main() {
  for (const entry of entries) {
    const required = require(entry);
    const imported = await import(entry);
    const names = Object.keys(imported).filter((name) => name !== "default" && name !== "module.exports");
    if (names.length === 0) throw new Error(`${entry} exports nothing`);
    for (const name of names) {
      if (required[name] !== imported[name]) throw new Error(`${entry} gives two copies of ${name}`);
    }
  }
}

void main();
