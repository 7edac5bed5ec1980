import type { SimulatorCredentials } from "../../simulator/index.ts";
import { messageOf, UsageError, type Io } from "../io.ts";

const FIELDS = ["accessKeyId", "secretAccessKey", "sessionToken", "principalArn"] as const;
const REQUIRED: readonly string[] = ["accessKeyId", "secretAccessKey"];
const SHAPE = '[{ "accessKeyId": "...", "secretAccessKey": "...", "principalArn": "arn:..." }]';

/**
 * The credentials of a JSON file: a list, each with `accessKeyId`, `secretAccessKey`, and if wanted a `sessionToken`
 * and a `principalArn`; left out, it is the IAM user of the access key's name.
 *
 * @throws `UsageError` with all that is wrong. It names fields and places, never what stands in them: a secret may
 * stand where another field belongs.
 */
export async function readCredentials(file: string, io: Io): Promise<readonly SimulatorCredentials[]> {
  const given = parsed(await textOf(file, io), file);
  if (!Array.isArray(given) || given.length === 0)
    throw new UsageError(`${file}: write a list such as ${SHAPE}.`);
  const mistakes = [...given.flatMap(mistakesOf), ...duplicates(given)];
  if (mistakes.length > 0) throw new UsageError(mistakes.map((mistake) => `${file}: ${mistake}`).join("\n"));
  return given as readonly SimulatorCredentials[];
}

async function textOf(file: string, io: Io): Promise<string> {
  try {
    return await io.readFile(file);
  } catch (error) {
    throw new UsageError(`--credentials ${file} could not be read (${messageOf(error)}): check the path.`);
  }
}

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // The parser's own words may quote a secret: only the place is taken from them.
    const position = /position (\d+)/.exec(messageOf(error))?.[1];
    const before = position === undefined ? [] : text.slice(0, Number(position)).split("\n");
    const place = before.length === 0 ? "" : `:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
    throw new UsageError(`${file}${place}: this is no JSON. Write a list such as ${SHAPE}.`);
  }
}

function mistakesOf(one: unknown, index: number): string[] {
  if (typeof one !== "object" || one === null || Array.isArray(one))
    return [`[${index}] is no object: write ${SHAPE}.`];
  const odd = Object.keys(one).filter((name) => !FIELDS.some((known) => known === name));
  const fields = one as Readonly<Record<string, unknown>>;
  return [
    ...odd.map((name) => `[${index}] has a field ${name.slice(0, 40)}: there are ${FIELDS.join(", ")}.`),
    ...FIELDS.flatMap((name) => {
      const value = fields[name];
      if (value === undefined) return REQUIRED.includes(name) ? [`[${index}] has no ${name}.`] : [];
      return isWord(value) ? [] : [`[${index}].${name} is no text without spaces.`];
    }),
    ...(typeof fields["accessKeyId"] === "string" && !/^\w{1,128}$/.test(fields["accessKeyId"])
      ? [`[${index}].accessKeyId takes letters, digits and underscores, at most 128.`]
      : []),
    ...(isWord(fields["principalArn"]) && !/^arn:[^:]+:(iam|sts)::\d{12}:.+$/.test(fields["principalArn"])
      ? [`[${index}].principalArn is no ARN of a user or a role: write arn:aws:iam::111122223333:role/NAME.`]
      : []),
  ];
}

function isWord(value: unknown): value is string {
  return typeof value === "string" && /^\S+$/.test(value);
}

/** Two secrets under one access key: nobody could say whose request it is. */
function duplicates(given: readonly unknown[]): string[] {
  const ids = given.map((one) => (one as { accessKeyId?: unknown } | null)?.accessKeyId);
  return ids.flatMap((id, index) =>
    id !== undefined && ids.indexOf(id) < index
      ? [`[${index}] has the accessKeyId of [${ids.indexOf(id)}].`]
      : [],
  );
}
