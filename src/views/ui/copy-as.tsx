/** @jsxImportSource hono/jsx */
/** A request for data as text for other tools, each with a button that copies it. */

export interface Command {
  readonly title: string;
  readonly text: string;
}

interface DataRequest {
  /** Origin and base path, without a slash at the end. */
  readonly server: string;
  /** `/api/bars/AAPL`, `/api/panel`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Whether the server requires a login: commands then send the token in `BARKEEP_TOKEN`. */
  readonly hasLogin: boolean;
  /** The name of a downloaded file, without its extension. */
  readonly file: string;
}

/** How a tool reads a file of each format; lists of profiles are small, and text that needs no package. */
const READERS = {
  table: {
    pandas: ["parquet", (from: string, options: string) => `pd.read_parquet(${from}${options})`],
    polars: ["arrow", (bytes: string) => `pl.read_ipc(${bytes})`],
    DuckDB: "parquet",
    R: ["parquet", (file: string) => `arrow::read_parquet("${file}")`],
  },
  list: {
    pandas: [
      "csv",
      (from: string, options: string) => `pd.read_csv(${from}, keep_default_na=False, na_values=[""]${options})`,
    ],
    polars: ["csv", (bytes: string) => `pl.read_csv(${bytes}, infer_schema_length=None)`],
    DuckDB: "csv",
    R: ["csv", (file: string) => `read.csv("${file}", na.strings = "")`],
  },
} as const;

/** The request for tools that quants use; each command runs as it is. */
export function copyAs(request: DataRequest): Command[] {
  const { server, path, query, hasLogin, file } = request;
  // Quotes in an address are encoded: `'` by URLSearchParams, which a symbol cannot have.
  const as = (format: string) => {
    const parameters = new URLSearchParams(query);
    parameters.set("format", format);
    return `${server}${path}?${parameters}`;
  };
  const readers = READERS[path === "/api/profiles" ? "list" : "table"];
  const header = hasLogin ? ` -H "Authorization: Bearer $BARKEEP_TOKEN"` : "";
  const curl = (format: string) => `curl --fail-with-body --compressed${header} -o ${file}.${format} '${as(format)}'`;
  const bearer = `{"Authorization": "Bearer " + os.environ["BARKEEP_TOKEN"]}`;
  const modules = hasLogin ? "os, " : "";
  const [pandasFormat, readPandas] = readers.pandas;
  const pandas = readPandas(`"${as(pandasFormat)}"`, hasLogin ? `, storage_options=${bearer}` : "");
  const [polarsFormat, readPolars] = readers.polars;
  const opened = hasLogin ? "request" : `"${as(polarsFormat)}"`;
  const polars = [
    ...(hasLogin ? [`request = urllib.request.Request("${as(polarsFormat)}", headers=${bearer})`] : []),
    `frame = ${readPolars(`urllib.request.urlopen(${opened}).read()`)}`,
  ].join("\n");
  const [rFormat, readR] = readers.R;
  const name = `${file}.${rFormat}`;
  const headers = hasLogin ? `, headers = c(Authorization = paste("Bearer", Sys.getenv("BARKEEP_TOKEN")))` : "";
  const duckdb = `${curl(readers.DuckDB)} &&\nduckdb -c "SELECT * FROM '${file}.${readers.DuckDB}' LIMIT 10"`;
  return [
    { title: "Python", text: python(request) },
    { title: "pandas", text: `import ${modules}pandas as pd\n\nframe = ${pandas}` },
    { title: "polars", text: `import ${modules}urllib.request, polars as pl\n\n${polars}` },
    { title: "DuckDB", text: duckdb },
    { title: "R", text: `download.file("${as(rFormat)}", "${name}", mode = "wb"${headers})\nframe <- ${readR(name)}` },
    { title: "curl", text: curl(query.get("format") ?? "csv") },
  ];
}

/** With the client that the server itself has; it reads the token from the environment. */
function python({ server, path, query }: DataRequest): string {
  const [, , content = "", symbol] = path.split("/");
  // The client asks for the whole list by itself.
  const given = [...query]
    .filter(([name]) => name !== "format" && name !== "limit")
    .map(([name, value]) => [parameterOf(name), value]);
  const named = [...given, ["url", server]].map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const call = [...(symbol === undefined ? [] : [JSON.stringify(decodeURIComponent(symbol))]), ...named].join(", ");
  return [
    "import urllib.request",
    "",
    `urllib.request.urlretrieve("${server}/barkeep.py", "barkeep.py")  # once`,
    "import barkeep",
    "",
    `frame = barkeep.${content}(${call})`,
  ].join("\n");
}

/** `from` is a keyword of Python. */
const parameterOf = (name: string) => (name === "from" ? "from_" : name);

interface CopyAsProps {
  readonly commands: readonly Command[];
  readonly heading: "h2" | "h3";
  /** Whether the first command is open. */
  readonly open?: boolean;
}

/** The commands, at most one open at a time; `public/app/ui/copy.js` shows the buttons and makes them copy. */
export const CopyAs = ({ commands, heading: Heading, open = false }: CopyAsProps) => (
  <div class="copy-as folds">
    <Heading>Copy as</Heading>
    {commands.map(({ title, text }, at) => (
      <details name="copy-as" open={(open && at === 0) || undefined}>
        <summary>{title}</summary>
        <button type="button" class="button" data-copy hidden aria-label={`Copy ${title}`}>
          Copy
        </button>
        <pre>{text}</pre>
      </details>
    ))}
  </div>
);
