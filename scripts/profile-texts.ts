import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { profileOf } from "@ledge/policy";

/** Writes into a `model.json` what the texts are like that the model was made with, so that others can be told from them. */

const help = `node scripts/profile-texts.ts --texts FILE --model MODEL_JSON

  --texts FILE        one text a line, as the model was trained on them
  --model MODEL_JSON  the manifest that gets the profile; its digest stays as it is`;

const { values } = parseArgs({
  options: { texts: { type: "string" }, model: { type: "string" }, help: { type: "boolean" } },
});
if (values.help === true || values.texts === undefined || values.model === undefined) {
  console.log(help);
  process.exitCode = values.help === true ? 0 : 2;
} else {
  const texts = readFileSync(values.texts, "utf8")
    .split("\n")
    .filter((line) => line !== "");
  const manifest = JSON.parse(readFileSync(values.model, "utf8"));
  writeFileSync(values.model, `${JSON.stringify({ ...manifest, profile: profileOf(texts) }, null, 2)}\n`);
  console.log(`${values.model}: the profile of ${texts.length} texts.`);
}
