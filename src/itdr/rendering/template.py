"""Jinja2 in a sandbox whose texts are bounded and depend on neither chance nor the time of day.

Chat templates come from whoever published a model. Jinja2's sandbox keeps them from Python, but not
from writing for ever. Here each loop, call, operator and filter is charged to a meter before it
works, by the size of what it works on, and a template that exceeds it is stopped. The meter counts
no seconds, so that what is refused does not depend on the machine.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, Undefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from itdr.rendering.work import (
    STEP,
    Meter,
    check_arguments,
    check_method,
    check_operands,
    meter,
    start,
)

LONGEST_TEMPLATE = 200_000
"""Characters of a template; the longest chat templates have 20,000."""

_STOPPED = (TemplateError, ArithmeticError, AttributeError, LookupError, MemoryError,
            RecursionError, SyntaxError, TypeError, ValueError)  # fmt: skip
_REFUSED_FILTERS = ("random", "urlize", "wordwrap", "xmlattr")


class TemplateFaultError(Exception):
    """A template is wrong or was stopped; the message gives its line where there is one."""


class Template:
    """A text in Jinja2's language."""

    def __init__(
        self,
        text: str,
        *,
        is_chat: bool = False,
        filters: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:
        """Read it.

        Args:
            text: the template.
            is_chat: as transformers reads chat templates: lines of blocks alone leave nothing, an
                unknown name is empty, and there are raise_exception, tojson as JSON has it,
                `break`, `continue` and `generation`; but no strftime_now.
            filters: further filters by name.

        Raises:
            TemplateFaultError: it is no Jinja2, or too long.
        """
        if len(text) > LONGEST_TEMPLATE:
            raise TemplateFaultError(
                f"it has {len(text):,} characters; allowed are {LONGEST_TEMPLATE:,}"
            )
        self._call_cost = STEP + len(text)
        start(Meter(self._call_cost))
        try:
            self._template = _Environment(is_chat, filters or {}).from_string(text)
        except _STOPPED as error:
            raise _fault(error) from error

    def render(self, values: Mapping[str, Any]) -> str:
        """Return the text for these values.

        Raises:
            TemplateFaultError: a value is unknown or of another type, the template refuses the
                values, or it was stopped.
        """
        start(Meter(self._call_cost))
        try:
            text = self._template.render(values)
            text.encode()  # an escape in the template can make half a character
        except _STOPPED as error:
            raise _fault(error) from error
        return text


def _fault(error: BaseException) -> TemplateFaultError:
    why = str(error).strip().rstrip(".") or type(error).__name__
    if isinstance(error, RecursionError):
        why = "it calls or nests itself too deeply"
    elif isinstance(error, MemoryError):
        why = "it takes more memory than there is"
    line = _line(error)
    return TemplateFaultError(f"line {line}: {why}" if line else why)


def _line(error: BaseException) -> int | None:
    """Return the line of a template in which an error arose; Jinja2 puts it into the traceback."""
    if isinstance(error, TemplateSyntaxError):
        return error.lineno
    found, trace = None, error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename in ("<template>", "<unknown>"):
            found = trace.tb_lineno
        trace = trace.tb_next
    return found


class _Environment(ImmutableSandboxedEnvironment):
    """A sandbox in which whatever can grow or take long is charged to the meter."""

    intercepted_binops = frozenset({"*", "**", "+", "%"})

    def __init__(self, is_chat: bool, filters: Mapping[str, Callable[..., Any]]) -> None:
        super().__init__(
            undefined=Undefined if is_chat else StrictUndefined,
            trim_blocks=is_chat,
            lstrip_blocks=is_chat,
            extensions=[_Generation, loopcontrols] if is_chat else [],
            finalize=_sized,
        )
        own = {"tojson": _to_json} if is_chat else {}
        every = {**self.filters, **own, **filters}
        self.filters = {name: _charged(name, function) for name, function in every.items()}
        self.filters |= {"_rounds": _rounds, "_sized": _sized}
        self.globals["namespace"] = _Namespace
        if is_chat:
            self.globals["raise_exception"] = _raise_exception
        del self.globals["lipsum"]

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return _Charging().visit(Parser(self, source, name, filename).parse())

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Compute what an operator gives, if there is work left for it."""
        check_operands(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a function, method or macro, if there is work left for it."""
        charged = meter()
        before = charged.left
        charged.charge_for([args, kwargs])
        if isinstance(__obj, Macro | LoopContext):
            charged.charge(charged.call_cost * (before - charged.left))
        check_method(__obj, args)
        return charged.charge_for(super().call(__context, __obj, *args, **kwargs))


class _Charging(NodeTransformer):
    """Puts a charge around each part of a template whose result can be large."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        written = sum(len(data.data) for data in node.find_all(nodes.TemplateData))
        self.generic_visit(node)
        node.iter = _through("_rounds", node.iter, nodes.Const(STEP + written))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        first: nodes.Expr
        first, *others = node.nodes
        for other in others:
            first = _through("_sized", nodes.Concat([first, other], lineno=node.lineno))
        return first

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        self.generic_visit(node)
        node.expr = _through("_sized", node.expr)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:
        self.generic_visit(node)
        return _through("_sized", node) if isinstance(node.arg, nodes.Slice) else node

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:
        self.generic_visit(node)
        return _through("_sized", node) if node.ctx == "load" else node

    def visit_List(self, node: nodes.List) -> nodes.Node:
        self.generic_visit(node)
        return _through("_sized", node)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:
        self.generic_visit(node)
        return _through("_sized", node)


def _through(name: str, node: nodes.Node, *args: nodes.Expr) -> nodes.Filter:
    """Return the node of a filter over a node."""
    return nodes.Filter(
        cast(nodes.Expr, node), name, list(args), [], None, None, lineno=node.lineno
    )


def _sized(value: Any) -> Any:
    return meter().charge_for(value)


def _rounds(values: Iterable[Any], cost: int) -> Iterable[Any]:
    """Return the values of a loop, each at a cost when it is taken."""
    return _Rounds(values, cost) if hasattr(values, "__len__") else _counted(values, cost)


def _counted(values: Iterable[Any], cost: int) -> Iterator[Any]:
    charged = meter()
    for value in values:
        charged.charge(cost)
        yield value


class _Rounds:
    """The values of a loop that knows from the beginning how many they are (loop.length)."""

    def __init__(self, values: Any, cost: int) -> None:
        self._values, self._cost = values, cost

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Any]:
        return _counted(self._values, self._cost)


def _charged(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that is charged for what it is given, and for what it returns."""
    hidden = getattr(function, "jinja_pass_arg", None)

    def charged(*args: Any, **kwargs: Any) -> Any:
        given = args if hidden is None else args[1:]
        if name in _REFUSED_FILTERS:
            raise SecurityError(f"the filter {name!r} is not available")
        meter().charge_for([given, kwargs])
        check_arguments(name, given, kwargs)
        found = function(*args, **kwargs)
        return _counted(found, STEP) if isinstance(found, Iterator) else _sized(found)

    if hidden is not None:
        charged.jinja_pass_arg = hidden  # type: ignore[attr-defined]
    return charged


class _Generation(Extension):
    """The tag around what an assistant says, which leaves its content as it is."""

    tags = {"generation"}  # noqa: RUF012 (as Jinja2 has it)

    def parse(self, parser: Parser) -> nodes.Node:
        """Return what stands between the tags."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


class _Namespace(Namespace):
    """A template's variables that outlive a loop; names with an underscore reach for Python."""

    def __init__(*args: Any, **kwargs: Any) -> None:
        Namespace.__init__(*args, **kwargs)
        for name in object.__getattribute__(args[0], "_Namespace__attrs"):
            _require_plain(name)

    def __setitem__(self, name: str, value: Any) -> None:
        _require_plain(name)
        super().__setitem__(name, value)


def _require_plain(name: Any) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise SecurityError(f"the name {name!r} of a namespace begins with an underscore")


def _raise_exception(message: Any) -> None:
    raise TemplateError(str(message))


def _to_json(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: Any = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(
        value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
    )
