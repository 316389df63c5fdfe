"""A parsed template as one Python function: what the interpreter writes, many times as fast.

It writes exactly what the interpreter would, warns of the same and spends the same; or it gives up, and the interpreter
begins anew. So limits and errors are told by the interpreter alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TextIO

from liquid import BoundTemplate
from msgspec import Struct

from kizuna.templates.budget import SECONDS, Budget
from kizuna.templates.extra_tags import Aborted
from kizuna.templates.liquid_engine import BoundedContext, BoundedTemplate, Buffer, WritePartial
from kizuna.templates.lookups import Missing
from kizuna.templates.python_nodes import Nodes
from kizuna.templates.python_output import RELOADED
from kizuna.templates.python_source import TooMuch, literal
from kizuna.templates.running import NAMES, PartialRun, Run
from kizuna.templates.text_passages import Passages, Steps


class Written(Struct):
    """What a template wrote."""

    text: str
    passages: Passages | None = None  # that make it; None: they are not known
    steps: Steps | None = None

    def plain_text(self) -> str | None:
        """Of HTML, as `text_of` finds it; None: it is to be found there."""
        return self.steps.text(self.passages) if self.steps and self.passages is not None else None


class Compiled:
    def __init__(self, template: BoundTemplate) -> None:
        """Raises `TooMuch`."""
        self.template = template
        made = Nodes(template.nodes, template.env)
        self._write = _loaded(_function(made), made.source.objects)
        self.steps = Steps()

    def write(self, variables: Mapping[str, Any], budget: Budget) -> Written | None:
        """None: the interpreter is to do it. The budget is as it was then, but for the time."""
        turns, work, warnings = budget.turns, budget.work, dict(budget.warnings)
        page = Buffer(budget)
        try:
            passages = self._write(Run(self.template, variables, budget, page, _of_partial))
            return Written(page.getvalue(), passages if page.times == 1 else None, self.steps)
        except (Aborted, Missing):
            raise
        except Exception:  # told by the interpreter, in its words
            budget.turns, budget.work, budget.warnings = turns, work, warnings
            return None

    def write_partial(self, context: BoundedContext, page: TextIO) -> None:
        """Within another that is compiled: what this raises makes that give up."""
        self._write(PartialRun(context, page))


def _of_partial(template: BoundedTemplate, budget: Budget) -> WritePartial | None:
    """None: the interpreter is to do it. A partial is compiled when a compiled template puts it in and has the time."""
    known: dict[str, Any] = vars(template)
    if "written_by" not in known and budget.deadline - time.monotonic() > SECONDS / 2:
        known["written_by"] = None  # it may put in itself
        with suppress(TooMuch, RecursionError):
            known["written_by"] = Compiled(template).write_partial
    return known.get("written_by")


def _function(made: Nodes) -> str:
    roots = "; ".join(f"{variable} = root({literal(name)})" for name, variable in made.scope.roots.items())
    lines = [
        "def write(run):",
        " budget = run.budget; deadline = budget.deadline; page0 = run.page; walk = run.walk; root = run.root",
        f" show = run.show_{'escaped' if made.env.autoescape else 'plain'}; out0 = []; add0 = out0.append; n0 = w = 0",
        " passages = []; note = passages.append",
        f" {roots or 'pass'}",
        f" {'context = run.context' if made.scope.asks_context else 'pass'}",
        " try:",
        "  pass",
    ]
    body = [
        f"  {line}" if line.lstrip() != RELOADED else f"  {line.replace(RELOADED, roots or 'pass')}"
        for line in made.body
    ]
    ending = [
        " except ENDS: pass",
        " page0.write(J(out0)); budget.work -= w",
        " if budget.work < 0: raise Bail",
        " return passages",
    ]
    return "\n".join([*lines, *body, *ending])


def _loaded(source: str, objects: Mapping[str, Any]) -> Callable[[Run], Passages]:
    code = compile(source, "<template>", "exec", dont_inherit=True, optimize=2)
    names: dict[str, Any] = {**NAMES, "monotonic": time.monotonic, **objects}
    exec(code, names)  # noqa: S102  # the source is ours: of what users wrote it holds constants only
    return names["write"]
