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

/** The request for tools that quants use; each command runs as it is. */
export function copyAs(request: DataRequest): Command[] {
  const { server, path, query, hasLogin, file } = request;
  // Quotes in an address are encoded: `'` by URLSearchParams, which a symbol cannot have.
  const as = (format: string) => {
    const parameters = new URLSearchParams(query);
    parameters.set("format", format);
    return `${server}${path}?${parameters}`;
  };
  const header = hasLogin ? ` -H "Authorization: Bearer $BARKEEP_TOKEN"` : "";
  const curl = (format: string) => `curl --fail-with-body --compressed${header} -o ${file}.${format} '${as(format)}'`;
  const bearer = `{"Authorization": "Bearer " + os.environ["BARKEEP_TOKEN"]}`;
  const pandas = hasLogin
    ? `import os, pandas as pd\n\nframe = pd.read_parquet("${as("parquet")}", storage_options=${bearer})`
    : `import pandas as pd\n\nframe = pd.read_parquet("${as("parquet")}")`;
  const polars = hasLogin
    ? `import os, urllib.request, polars as pl\n\nrequest = urllib.request.Request("${as("arrow")}", headers=${bearer})\nframe = pl.read_ipc(urllib.request.urlopen(request).read())`
    : `import urllib.request, polars as pl\n\nframe = pl.read_ipc(urllib.request.urlopen("${as("arrow")}").read())`;
  const headers = hasLogin ? `, headers = c(Authorization = paste("Bearer", Sys.getenv("BARKEEP_TOKEN")))` : "";
  return [
    { title: "Python", text: python(request) },
    { title: "pandas", text: pandas },
    { title: "polars", text: polars },
    { title: "DuckDB", text: `${curl("parquet")} &&\nduckdb -c "SELECT * FROM '${file}.parquet' LIMIT 10"` },
    {
      title: "R",
      text: `download.file("${as("parquet")}", "${file}.parquet", mode = "wb"${headers})\nframe <- arrow::read_parquet("${file}.parquet")`,
    },
    { title: "curl", text: curl(query.get("format") ?? "csv") },
  ];
}

/** With the client that the server itself has; it reads the token from the environment. */
function python({ server, path, query }: DataRequest): string {
  const [, , content = "", symbol] = path.split("/");
  const given = [...query].filter(([name]) => name !== "format").map(([name, value]) => [parameterOf(name), value]);
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
  <div class="copy-as">
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
