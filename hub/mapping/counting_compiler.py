"""Jinja's compiler, with a count at every place where work can grow: loops, macros, blocks, `~`, comparisons,
literals."""

from __future__ import annotations

from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame

STEP = "step"
_BY_VALUE = ("eq", "ne", "lt", "lteq", "gt", "gteq")


class CountingCompiler(CodeGenerator):
    """The code that it makes calls `step`, `made`, `read` and `joined` of the environment."""

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:
        node.body.insert(0, _step(node))
        for block in node.find_all(nodes.Block):
            block.body.insert(0, _step(block))
        super().visit_Template(node, frame)

    def visit_For(self, node: nodes.For, frame: Frame) -> None:
        if node.test is not None:
            node.test = nodes.And(_count(node), node.test, lineno=node.lineno)
        node.body.insert(0, _step(node))
        super().visit_For(node, frame)

    def macro_body(self, node: nodes.Macro | nodes.CallBlock, frame: Frame) -> Any:
        node.body.insert(0, _step(node))
        return super().macro_body(node, frame)

    def visit_EnvironmentAttribute(self, node: nodes.EnvironmentAttribute, frame: Frame) -> None:
        super().visit_EnvironmentAttribute(node, frame)
        if node.name == STEP:
            self.write("()")

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        if frame.eval_ctx.volatile:
            join = "(markup_join if context.eval_ctx.volatile else str_join)"
        else:
            join = "markup_join" if frame.eval_ctx.autoescape else "str_join"
        self.write(f"environment.joined({join}, (")
        for each in node.nodes:
            self.visit(each, frame)
            self.write(", ")
        self.write("))")

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:
        """What is compared with a constant costs no more than the constant is long."""
        operands = [node.expr, *(op.expr for op in node.ops)]
        short = len(operands) == 2 and node.ops[0].op in _BY_VALUE and any(isinstance(o, nodes.Const) for o in operands)
        self.write("(")
        self._looked_at(node.expr, frame, short)
        for op in node.ops:
            self.write(f" {_OPERATORS[op.op]} ")
            self._looked_at(op.expr, frame, short)
        self.write(")")

    def _looked_at(self, node: nodes.Expr, frame: Frame, short: bool) -> None:
        if short or _constant(node):
            self.visit(node, frame)
            return
        self.write("environment.read(")
        self.visit(node, frame)
        self.write(")")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:
        if isinstance(node.arg, nodes.Slice):
            self.write("environment.made(")
            super().visit_Getitem(node, frame)
            self.write(")")
        else:
            super().visit_Getitem(node, frame)

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:
        if node.ctx == "load":
            self._literal(node, frame, super().visit_Tuple)
        else:
            super().visit_Tuple(node, frame)

    def visit_List(self, node: nodes.List, frame: Frame) -> None:
        self._literal(node, frame, super().visit_List)

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:
        self._literal(node, frame, super().visit_Dict)

    def _literal(self, node: nodes.Expr, frame: Frame, visit: Any) -> None:
        if _constant(node):
            visit(node, frame)
            return
        self.write("environment.made(")
        visit(node, frame)
        self.write(")")


_OPERATORS = {
    **{"eq": "==", "ne": "!=", "gt": ">", "gteq": ">=", "lt": "<", "lteq": "<="},
    **{"in": "in", "notin": "not in"},
}


def _count(node: nodes.Node) -> nodes.Expr:
    return nodes.Not(nodes.EnvironmentAttribute(STEP, lineno=node.lineno), lineno=node.lineno)


def _step(node: nodes.Node) -> nodes.ExprStmt:
    return nodes.ExprStmt(nodes.EnvironmentAttribute(STEP, lineno=node.lineno), lineno=node.lineno)


def _constant(node: nodes.Expr) -> bool:
    if isinstance(node, (nodes.List, nodes.Tuple)):
        return all(_constant(item) for item in node.items)
    if isinstance(node, nodes.Dict):
        return all(_constant(pair.key) and _constant(pair.value) for pair in node.items)
    return isinstance(node, nodes.Const)
