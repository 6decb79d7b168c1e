"""Decorators, written as the calls that they are: mutmut leaves alone what is decorated, and every reaction is."""

import ast


class _Undecorated(ast.NodeTransformer):
    def visit_FunctionDef(self, function: ast.FunctionDef) -> list[ast.stmt]:
        """Put the calls behind the function, the last decorator first, as Python does."""
        return self._called(function)

    def visit_AsyncFunctionDef(self, function: ast.AsyncFunctionDef) -> list[ast.stmt]:
        """Do the same."""
        return self._called(function)

    def _called(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.stmt]:
        name, decorators = function.name, function.decorator_list
        function.decorator_list = []
        calls = [ast.parse(f"{name} = ({ast.unparse(each)})({name})").body[0] for each in reversed(decorators)]
        return [function, *calls]


def undecorated(code: str) -> str:
    """Write a module that does the same and has no decorated functions, nor comments; a statement is one line of it."""
    return ast.unparse(_Undecorated().visit(ast.parse(code))) + "\n"
