"""How programs of different languages write a log line."""

import json

STYLES = ("json", "logback", "python", "zap", "pino", "serilog", "tracing", "rails")
_PINO = {"INFO": 30, "WARN": 40, "ERROR": 50}


def line(style: str, service: str, level: str, text: str) -> str:
    """One line; `<ts>`, `<ms>` and the like in it are filled in by the world."""
    quoted = json.dumps(text, ensure_ascii=False)[1:-1]
    package = service.replace("-", ".")
    match style:
        case "json":
            return f'{{"ts":"<ts>","level":"{level}","service":"{service}","msg":"{quoted}"}}'
        case "logback":
            return f"<ts> {level:<5} [http-exec-<few>] c.acme.{package}.Handler - {text}"
        case "python":
            return f"<stamp>,<few> {'WARNING' if level == 'WARN' else level} {package}: {text}"
        case "zap":
            return f'{{"level":"{level.lower()}","ts":"<ts>","caller":"internal/{service}.go:88","msg":"{quoted}"}}'
        case "pino":
            return f'{{"level":{_PINO[level]},"time":"<ts>","name":"{service}","msg":"{quoted}"}}'
        case "serilog":
            return f"[<ts> {level[:3]}] {service}: {text}"
        case "tracing":
            return f"<ts> {level:>5} {service.replace('-', '_')}::http: {text}"
        case _:
            return f"{level[0]}, [<ts> #<n>] {level:>5} -- : [<trace>] {text}"


def function_error(text: str) -> str:
    """As the Python runtime of Lambda writes it."""
    return f"[ERROR]\t<ts>\t<uuid>\t{text}"


ORDINARY = (
    "handled <path> in <ms> ms",
    "request <id> done, <ms> ms",
    "<path> 200 <ms>ms",
    "served <path> for client <trace> in <ms> ms",
    "finished <id> after <ms> ms",
    "ok <path> took=<ms>",
)
GRUMBLES = (
    "client <trace> gave up before the answer was ready",
    "unusual header ignored for request <id>",
    "slow image host answered after <slow> ms",
    "retrying <path> once",
    "deprecated field used by client <trace>",
    "session <trace> without a locale, default taken",
)
