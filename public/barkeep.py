"""Bars, features and runs of a Barkeep server, in one file.

Needs Python 3.9 and nothing else. What is installed decides what tables are: a pandas DataFrame, else a polars
DataFrame, else a list of dicts. With pyarrow (or polars) answers travel as Parquet, otherwise as text.

    import barkeep

    frame = barkeep.bars("AAPL", interval="1d")
    frame = barkeep.features("AAPL", names=["rsi_14", "atr_14"])
    frame = barkeep.panel(["AAPL", "MSFT"], names="rsi_14", include="ohlcv", labels="fwd_ret_5")
    barkeep.wait(barkeep.run(["AAPL", "MSFT"], interval="1h", years=2))

Two environment variables say where the server is and who asks: BARKEEP_URL (http://127.0.0.1:3000 if it is not set)
and BARKEEP_TOKEN (needed where the server has a password; made at /settings/access).

Times are UTC. Texts and datetimes without an offset are taken as UTC.
"""

from __future__ import annotations

import csv
import datetime as dt
import email.utils
import http.client
import importlib.util
import io
import json
import os
import random
import shutil
import socket
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import warnings
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Mapping, Optional, Tuple, Union

if TYPE_CHECKING:
    import pandas
    import polars

    Table = Union[pandas.DataFrame, polars.DataFrame, List[Dict[str, Any]]]

__all__ = ["bars", "features", "panel", "profiles", "snapshot", "run", "wait", "BarkeepError", "BarkeepWarning"]

Moment = Union[str, dt.date, dt.datetime]
Words = Union[str, Iterable[str]]

_DEFAULT_URL = "http://127.0.0.1:3000"
# Requests in all, the first wait and the longest wait between two of them, in seconds.
_TRIES = 6
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 60.0
# Seconds without a byte after which a request is given up, and not sent again: it may have waited behind other tables.
_SILENCE = 300.0
# The longest time between two looks at a run, in seconds.
_LONGEST_POLL = 5.0


class BarkeepError(Exception):
    """What the server refused, or why it was not reached.

    status: the HTTP status; None if there was no answer.
    detail: what was wrong, in a sentence.
    errors: what was wrong with single parameters: [{"path": ..., "message": ...}].
    run: the run, where `wait` found that it did not succeed; otherwise None.
    """

    def __init__(
        self,
        detail: str,
        status: Optional[int] = None,
        errors: Iterable[Mapping[str, str]] = (),
        run: Optional[Dict[str, Any]] = None,
    ) -> None:
        self.detail = detail
        self.status = status
        self.errors = [dict(each) for each in errors]
        self.run = run
        fields = "; ".join(f"{each.get('path')}: {each.get('message')}" for each in self.errors)
        text = detail if not fields or fields in detail else f"{detail} ({fields})"
        super().__init__(text if status is None else f"{text} [{status}]")


class BarkeepWarning(UserWarning):
    """A table that is not all that was asked for: symbols without bars, or made-up bars."""


def bars(
    symbol: str,
    *,
    interval: str = "1d",
    from_: Optional[Moment] = None,
    to: Optional[Moment] = None,
    adjust: str = "splits",
    as_known_at: Optional[Moment] = None,
    provider: Optional[str] = None,
    dtype: str = "float64",
    output: Optional[str] = None,
    url: Optional[str] = None,
    token: Optional[str] = None,
) -> Table:
    """The bars of a symbol, ascending: one row a bar.

    interval: 1m 5m 15m 30m 1h 4h 1d 1w 1mo. One that is not stored is built from the finest stored one that divides it.
    from_, to: bars that start at `from_` or later, and before `to`.
    adjust: "splits", "none" (as stored) or "all" (splits and dividends).
    as_known_at: the answer that the server would have given at that moment, by the bars and corporate actions of then.
    dtype: "float64" or "float32", of all columns but the time.
    output: "pandas", "polars" or "dicts"; what is installed if not given.

    Returns (n, 5): open, high, low, close in the quote currency; volume in units of the instrument, undefined where
    it is unknown. pandas: the index is `timestamp`, the start of the bar, UTC. polars and dicts: a column `timestamp`.

    Raises BarkeepError if the server refuses or cannot be reached.
    """
    query = {"interval": interval, "from": from_, "to": to, "adjust": adjust, "provider": provider, "dtype": dtype}
    query["as_known_at"] = as_known_at
    return _table(f"/api/bars/{_quoted(symbol)}", query, ["timestamp"], output, url, token)


def features(
    symbol: str,
    names: Words = "all",
    *,
    interval: str = "1d",
    from_: Optional[Moment] = None,
    to: Optional[Moment] = None,
    adjust: str = "splits",
    as_known_at: Optional[Moment] = None,
    provider: Optional[str] = None,
    dtype: str = "float64",
    output: Optional[str] = None,
    url: Optional[str] = None,
    token: Optional[str] = None,
) -> Table:
    """The feature matrix of a symbol: one row a bar, one column a feature.

    names: features as a list or with commas between, or "all". "rsi_14@1h" is the value of the last 1h bar that has
    ended. Units and formulas are on the page of a profile and in docs/features.md.
    The other parameters are those of `bars`.

    Returns (n, features). Undefined values are NaN in pandas, null in polars, None in dicts.

    Raises BarkeepError if the server refuses or cannot be reached.
    """
    query = {"names": names, "interval": interval, "from": from_, "to": to, "adjust": adjust}
    query.update(provider=provider, dtype=dtype, as_known_at=as_known_at)
    return _table(f"/api/features/{_quoted(symbol)}", query, ["timestamp"], output, url, token)


def panel(
    symbols: Optional[Words] = None,
    *,
    watchlist: Optional[str] = None,
    where: Optional[str] = None,
    names: Words = "all",
    include: Optional[Words] = None,
    labels: Optional[Words] = None,
    interval: str = "1d",
    from_: Optional[Moment] = None,
    to: Optional[Moment] = None,
    adjust: str = "splits",
    as_known_at: Optional[Moment] = None,
    provider: Optional[str] = None,
    sort: str = "symbol",
    dtype: str = "float64",
    output: Optional[str] = None,
    url: Optional[str] = None,
    token: Optional[str] = None,
) -> Table:
    """Bars, features and labels of up to 5,000 symbols in one long table.

    symbols, watchlist, where: one of them: symbols, the name of a watchlist, or a screen such as "rsi_14 < 30".
    names: features as a list or with commas between, "all" or "none".
    include: "ohlcv" adds open, high, low, close and volume.
    labels: such as "fwd_ret_5" or "tb_20_20_20". They look ahead: never use them as features.
    sort: "symbol" (then time) or "timestamp" (then symbol).
    The other parameters are those of `bars`.

    Returns (n, columns): bars, then features, then labels. pandas: the index is (symbol, timestamp), with
    sort="timestamp" (timestamp, symbol). polars and dicts: columns `symbol` and `timestamp`.
    Symbols without bars in the range are named by a BarkeepWarning.

    Raises BarkeepError if the server refuses or cannot be reached.
    """
    query = {"symbols": symbols, "watchlist": watchlist, "where": where, "names": names, "include": include}
    query.update(labels=labels, interval=interval, to=to, adjust=adjust, provider=provider, sort=sort, dtype=dtype)
    query.update({"from": from_, "as_known_at": as_known_at})
    index = ["timestamp", "symbol"] if sort == "timestamp" else ["symbol", "timestamp"]
    return _table("/api/panel", query, index, output, url, token)


def profiles(
    where: Optional[str] = None,
    *,
    interval: Optional[str] = None,
    q: Optional[str] = None,
    health: Optional[Words] = None,
    sort: Optional[str] = None,
    limit: int = 50_000,
    output: Optional[str] = None,
    url: Optional[str] = None,
    token: Optional[str] = None,
) -> Table:
    """The profiles that satisfy a screen, at their last bar: one row a symbol and interval.

    where: such as "rsi_14 < 30"; all profiles if not given.
    interval: all stored ones if not given. Profiles at one that is not stored are derived from shorter bars.
    q: part of the symbol. health: any of ok, revised, stale, gaps, suspicious.
    sort: a feature, rank(feature), symbol, health, bars, last_bar or updated; descending with - before it.

    Returns a column for each feature and rank that the screen names, or else for every feature, after provider, health,
    first_bar and last_bar (UTC). pandas: the index is (symbol, interval). polars and dicts: columns of these names.

    Raises BarkeepError if the server refuses or cannot be reached.
    """
    kind = _kind(output)
    query = {"where": where, "interval": interval, "q": q, "health": health, "sort": sort, "limit": str(limit)}
    body, headers = _send("GET", "/api/profiles", {**query, "format": "csv"}, url, token)
    _warn(headers)
    texts = ["symbol", "interval", "provider", "health", "derived_from", "partial"]
    times = ["first_bar", "last_bar"]
    if kind == "pandas":
        return _pandas_text(body, texts, times, "float64").set_index(["symbol", "interval"])
    if kind == "polars":
        import polars

        columns = next(csv.reader([body.decode().split("\n", 1)[0]]))
        kinds = {name: polars.String if name in texts else polars.Float64 for name in columns if name not in times}
        return polars.read_csv(io.BytesIO(body), try_parse_dates=True, schema_overrides=kinds)
    rows: List[Dict[str, Any]] = []
    for row in csv.DictReader(io.StringIO(body.decode())):
        rows.append({name: _cell(name, text, texts, times) for name, text in row.items()})
    return rows


def snapshot(
    name: str,
    symbols: Optional[Words] = None,
    *,
    watchlist: Optional[str] = None,
    names: Words = "all",
    include: Optional[Words] = "ohlcv",
    labels: Optional[Words] = None,
    interval: str = "1d",
    from_: Optional[Moment] = None,
    to: Optional[Moment] = None,
    adjust: str = "splits",
    as_known_at: Optional[Moment] = None,
    provider: Optional[str] = None,
    dtype: str = "float64",
    url: Optional[str] = None,
    token: Optional[str] = None,
) -> Dict[str, Any]:
    """Writes a panel to Parquet files on the server for good, and returns what it is cited by.

    name: what people call it.
    symbols, watchlist: one of them. The other parameters are those of `panel`.

    Returns a dict: id, sha256 (of the content, the same on every machine), rows, files (name, path, rows, bytes,
    sha256), created_at, missing and so on.

    Raises BarkeepError with status 422 that names a wrong parameter, and with 403 if the token may only read.
    """
    body = {"name": name, "symbols": symbols, "watchlist": watchlist, "names": names, "include": include}
    body.update(labels=labels, interval=interval, to=to, adjust=adjust, as_known_at=as_known_at)
    body.update({"from": from_, "provider": provider, "dtype": dtype})
    given = {key: value if key == "name" else _parameter(value) for key, value in body.items() if value is not None}
    return _read_json(_send("POST", "/api/snapshots", {}, url, token, given)[0])


def run(
    symbols: Words,
    *,
    mode: str = "full",
    interval: str = "1d",
    years: Union[int, str, None] = None,
    from_: Union[str, dt.date, None] = None,
    to: Union[str, dt.date, None] = None,
    name: Optional[str] = None,
    provider: Optional[str] = None,
    batch_days: Optional[int] = None,
    max_workers: Optional[int] = None,
    rebuild: Optional[bool] = None,
    repair_provider: Optional[str] = None,
    url: Optional[str] = None,
    token: Optional[str] = None,
) -> Dict[str, Any]:
    """Starts a run, which fetches bars and computes features, and returns it at once: `wait` waits for its end.

    symbols: 1 to 5,000, as a list or with commas between.
    mode: "full", "incremental", "reprocess" or "repair".
    years: of history, 1 to 30 or "all"; what is not given has the server's default.
    from_, to: instead of years, the dates between which a full run fetches.
    name: what the pages call the run.

    Returns the run as a dict: id, status, counts, total, progress (0 to 100) and so on (docs/contract.md).

    Raises BarkeepError with status 409 if a symbol is at work already, and with 403 if the token may only read.
    """
    body = {"symbols": _words(symbols), "mode": mode, "interval": interval, "years": years, "provider": provider}
    body.update(batch_days=batch_days, max_workers=max_workers, rebuild=rebuild, repair_provider=repair_provider)
    days = {"from": from_, "to": to}
    body.update({"name": name}, **{key: _parameter(day) for key, day in days.items() if day is not None})
    given = {key: value for key, value in body.items() if value is not None}
    return _read_json(_send("POST", "/api/runs", {}, url, token, given)[0])["run"]


def wait(
    run: Union[str, Mapping[str, Any]],
    *,
    timeout: Optional[float] = None,
    check: bool = True,
    quiet: bool = False,
    url: Optional[str] = None,
    token: Optional[str] = None,
) -> Dict[str, Any]:
    """Waits until a run has ended, and shows how far it is: a line that changes on a terminal and in a notebook.

    run: what `run` returned, or its id.
    timeout: seconds after which TimeoutError is raised. The run goes on then, as it does after Ctrl-C.
    check: raise if the run was cancelled or symbols of it failed.
    quiet: show nothing.

    Returns the run with `jobs`, one a symbol: symbol, state, data_points (bars), error and so on.

    Raises BarkeepError, which names the symbols that failed; its `run` is the run.
    """
    run_id = run if isinstance(run, str) else str(run["id"])
    deadline = None if timeout is None else time.monotonic() + timeout
    shown = _Progress(quiet)
    pause = 0.1
    try:
        while True:
            now = _read_json(_send("GET", f"/api/runs/{_quoted(run_id)}", {}, url, token)[0])["run"]
            shown.show(now)
            if now["status"] not in ("running", "paused"):
                break
            left = float("inf") if deadline is None else deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"run {run_id} has not ended after {timeout:g} s; it goes on: {_progress_text(now)}")
            time.sleep(min(pause, left))
            pause = min(pause * 1.5, _LONGEST_POLL)
    finally:
        shown.end()
    if check:
        _require_success(now)
    return now


def _require_success(run: Dict[str, Any]) -> None:
    failed = [job for job in run.get("jobs", []) if job["state"] == "failed"]
    if failed:
        named = "; ".join(f"{job['symbol']}: {job.get('error') or 'no reason given'}" for job in failed[:5])
        more = f"; and {len(failed) - 5} more" if len(failed) > 5 else ""
        raise BarkeepError(f"{len(failed)} of {run['total']} symbols failed: {named}{more}", run=run)
    if run["status"] != "complete":
        raise BarkeepError(f"run {run['id']} ended as {run['status']}", run=run)


def _progress_text(run: Mapping[str, Any]) -> str:
    counts = run["counts"]
    ended = sum(counts.get(state, 0) for state in ("complete", "failed", "cancelled", "skipped"))
    parts = [f"{run['status']} {run['progress']:.0f}%", f"{ended} of {run['total']} symbols"]
    if counts.get("failed"):
        parts.append(f"{counts['failed']} failed")
    if run.get("data_points"):
        parts.append(f"{run['data_points']:,} bars")
    if run["status"] == "running" and run.get("eta_seconds") is not None:
        parts.append(f"about {_duration(run['eta_seconds'])} left")
    if run.get("limited_until"):
        parts.append(f"limited by {run['limited_by']} until {run['limited_until']}")
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class _Progress:
    """Shows the state of a run: in a notebook and on a terminal in place, elsewhere a line every ten percent."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.last = ""
        self.step: Optional[Tuple[str, int]] = None
        self.handle = None if quiet else _notebook_display()
        self.in_place = not quiet and self.handle is None and sys.stderr.isatty()

    def show(self, run: Mapping[str, Any]) -> None:
        text = _progress_text(run)
        if self.quiet or text == self.last:
            return
        if self.handle is not None:
            self.handle.update({"text/plain": text}, raw=True)
        elif self.in_place:
            # A line that wraps could not be written over.
            text = text[: shutil.get_terminal_size().columns - 1]
            sys.stderr.write("\r" + text.ljust(len(self.last)))
            sys.stderr.flush()
        else:
            step = (run["status"], int(run["progress"]) // 10)
            if step == self.step:
                return
            self.step = step
            print(text, file=sys.stderr, flush=True)
        self.last = text

    def end(self) -> None:
        if self.in_place and self.last:
            sys.stderr.write("\n")


def _notebook_display() -> Any:
    """What changes its text in place in a Jupyter notebook; None elsewhere."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if type(shell).__name__ != "ZMQInteractiveShell":
        return None
    from IPython.display import display

    return display({"text/plain": ""}, raw=True, display_id=True)


def _table(
    path: str,
    query: Mapping[str, Any],
    index: List[str],
    output: Optional[str],
    url: Optional[str],
    token: Optional[str],
) -> Table:
    kind = _kind(output)
    text = "csv" if kind == "pandas" else "ndjson"
    wanted = "parquet" if kind == "polars" or (kind == "pandas" and _has("pyarrow")) else text
    body, headers = _send("GET", path, {**query, "format": wanted}, url, token)
    _warn(headers)
    if kind == "pandas":
        return _pandas(body, wanted, index, str(query["dtype"]))
    if kind == "polars":
        import polars

        return polars.read_parquet(io.BytesIO(body))
    rows = [json.loads(line, parse_int=float) for line in body.decode().splitlines()]
    for row in rows:
        row["timestamp"] = _moment(row["timestamp"])
    return rows


def _kind(output: Optional[str]) -> str:
    kind = output or ("pandas" if _has("pandas") else "polars" if _has("polars") else "dicts")
    if kind not in ("pandas", "polars", "dicts"):
        raise ValueError(f'output wants "pandas", "polars" or "dicts", not {output!r}')
    if kind != "dicts" and not _has(kind):
        raise ImportError(f"output={kind!r} needs the package {kind}")
    return kind


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00"))


def _cell(name: str, text: str, texts: List[str], times: List[str]) -> Any:
    if name in texts:
        return text
    if name in times:
        return _moment(text)
    return None if text == "" else float(text)


def _pandas(body: bytes, kind: str, index: List[str], dtype: str) -> pandas.DataFrame:
    import pandas

    if kind == "parquet":
        frame = pandas.read_parquet(io.BytesIO(body), engine="pyarrow")
        # One unit, however the table has travelled.
        frame["timestamp"] = frame["timestamp"].astype("datetime64[ns, UTC]")
    else:
        frame = _pandas_text(body, ["symbol"], ["timestamp"], dtype)
    if "symbol" in index:
        frame["symbol"] = frame["symbol"].astype(str)
    return frame.set_index(index)


def _pandas_text(body: bytes, texts: List[str], times: List[str], dtype: str) -> pandas.DataFrame:
    """A frame of CSV, with `texts` and `times` as such and the rest as numbers: 0700, TRUE and 1E5 may be symbols."""
    import pandas

    frame = pandas.read_csv(
        io.BytesIO(body),
        dtype={name: str for name in texts},
        keep_default_na=False,
        na_values=[""],
        float_precision="round_trip",
    )
    for name in times:
        frame[name] = pandas.to_datetime(frame[name], utc=True).astype("datetime64[ns, UTC]")
    return frame.astype({name: dtype for name in frame.columns if name not in texts + times})


def _warn(headers: http.client.HTTPMessage) -> None:
    missing = headers.get("x-barkeep-missing")
    if missing:
        count = int(headers.get("x-barkeep-missing-count") or missing.count(",") + 1)
        what = "1 symbol has" if count == 1 else f"{count} symbols have"
        shown = missing if len(missing) <= 200 else missing[:200].rsplit(",", 1)[0] + ", ..."
        warnings.warn(f"{what} no bars in the range: {shown}", BarkeepWarning, stacklevel=4)
    partial = headers.get("x-barkeep-partial")
    if partial:
        shown = partial if len(partial) <= 200 else partial[:200].rsplit(",", 1)[0] + ", ..."
        warnings.warn(f"bars that may hold a part of their time only: {shown}", BarkeepWarning, stacklevel=4)
    since = headers.get("x-barkeep-known-since")
    if since:
        text = f"when bars were first seen is recorded since {since}: before, all bars that had begun count as known"
        warnings.warn(text, BarkeepWarning, stacklevel=4)
    if headers.get("x-barkeep-synthetic") == "true":
        warnings.warn("these bars are made up: they come from the provider demo", BarkeepWarning, stacklevel=4)


def _has(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def _words(value: Words) -> List[str]:
    parts = value.split(",") if isinstance(value, str) else value
    return [word for word in (str(part).strip() for part in parts) if word]


def _quoted(part: str) -> str:
    return urllib.parse.quote(part, safe="")


def _parameter(value: Any) -> str:
    """A value as the server reads it; a datetime without an offset is UTC."""
    if isinstance(value, dt.datetime):
        aware = value.replace(tzinfo=dt.timezone.utc) if value.tzinfo is None else value.astimezone(dt.timezone.utc)
        return aware.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, dt.date):
        return value.isoformat()
    return value if isinstance(value, str) else ",".join(_words(value))


def _address(path: str, query: Mapping[str, Any], url: Optional[str]) -> str:
    base = (url or os.environ.get("BARKEEP_URL") or _DEFAULT_URL).rstrip("/")
    parts = urllib.parse.urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("BARKEEP_URL wants the address of the server, such as http://127.0.0.1:3000")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("BARKEEP_URL wants scheme, host and path only; the token belongs into BARKEEP_TOKEN")
    given = urllib.parse.urlencode({name: _parameter(value) for name, value in query.items() if value is not None})
    return f"{base}{path}?{given}" if given else f"{base}{path}"


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A token must not be sent to where a redirect points."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _send(
    method: str,
    path: str,
    query: Mapping[str, Any],
    url: Optional[str],
    token: Optional[str],
    body: Optional[Mapping[str, Any]] = None,
) -> Tuple[bytes, http.client.HTTPMessage]:
    """The body and headers of an answer. What the server is too busy for is sent again, at most six times in all.

    A refused request leaves nothing behind, so 429 and 503 are tried again whatever the method; a connection that
    broke only where nothing can have happened: GET.
    """
    address = _address(path, query, url)
    opener = urllib.request.build_opener(_NoRedirects)
    for attempt in range(1, _TRIES + 1):
        try:
            with opener.open(_request(method, address, token, body), timeout=_SILENCE) as answer:
                return answer.read(), answer.headers
        except urllib.error.HTTPError as answer:
            with answer:
                error = _refusal(answer, address)
            if answer.code not in (429, 503) or attempt == _TRIES:
                raise error from None
            asked = _retry_after(answer.headers)
            if asked is not None and asked > _LONGEST_WAIT:
                raise BarkeepError(f"{error.detail} (try again in {_duration(asked)})", answer.code) from None
        except (OSError, http.client.HTTPException) as fault:
            reason = getattr(fault, "reason", None) or fault
            is_late = isinstance(reason, (TimeoutError, socket.timeout))
            if method != "GET" or is_late or attempt == _TRIES:
                where = urllib.parse.urlsplit(address)
                text = f"no answer from {where.scheme}://{where.netloc}: {reason}"
                raise BarkeepError(f"{text}. Is the server running, and BARKEEP_URL right?") from fault
            asked = None
        growing = min(_FIRST_WAIT * 2 ** (attempt - 1), _LONGEST_WAIT) * random.uniform(0.8, 1.2)
        time.sleep(growing if asked is None else asked)
    raise AssertionError("the last attempt returns or raises")


def _request(
    method: str, address: str, token: Optional[str], body: Optional[Mapping[str, Any]]
) -> urllib.request.Request:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data=data, method=method)
    request.add_header("Accept", "*/*, application/problem+json")
    request.add_header("User-Agent", "barkeep.py")
    if data is not None:
        request.add_header("Content-Type", "application/json")
    secret = token or os.environ.get("BARKEEP_TOKEN")
    if secret:
        request.add_unredirected_header("Authorization", f"Bearer {secret.strip()}")
    return request


def _refusal(answer: urllib.error.HTTPError, address: str) -> BarkeepError:
    if 300 <= answer.code < 400:
        to = urllib.parse.urlsplit(urllib.parse.urljoin(address, answer.headers.get("Location") or ""))
        return BarkeepError(f"the server is at {to.scheme}://{to.netloc}: set BARKEEP_URL to that", answer.code)
    try:
        problem = json.loads(answer.read())
        detail = str(problem.get("detail") or problem["title"])
        errors = problem.get("errors") or []
    except (OSError, http.client.HTTPException, ValueError, KeyError, AttributeError):
        return BarkeepError(f"the server answered {answer.code} {answer.reason}", answer.code)
    if answer.code == 401:
        detail += " Set BARKEEP_TOKEN to a token made at /settings/access."
    return BarkeepError(detail, answer.code, errors)


def _retry_after(headers: Mapping[str, str]) -> Optional[float]:
    """The seconds that the server asks to wait; None if it says nothing readable."""
    text = (headers.get("Retry-After") or "").strip()
    if text.isdigit():
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.timezone.utc)
    return max(0.0, (moment - dt.datetime.now(dt.timezone.utc)).total_seconds())


def _read_json(body: bytes) -> Dict[str, Any]:
    try:
        return json.loads(body)
    except ValueError as fault:
        raise BarkeepError("the answer is not JSON: does BARKEEP_URL lead to Barkeep?") from fault
