"""Instances of any model or dataclass, made up from its annotations: a new field needs no new test."""

import dataclasses
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

T = TypeVar("T")

SOME = settings(deadline=None, max_examples=25)
"""For a property that many others surround: `make check` is to stay quick, and a busy machine is no failure."""
MANY = settings(SOME, max_examples=60)
"""For one that has to find its way deep into a history."""
FEW = settings(SOME, max_examples=10)
"""For one that is asked of each of many classes."""

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - as hypothesis asks for it
IDS = st.uuids(allow_nil=False)


def instances(kind: type[T]) -> st.SearchStrategy[T]:
    """Make instances of a pydantic model or a dataclass, within the bounds that its fields name."""
    if issubclass(kind, BaseModel):
        fields = {name: _of_field(field) for name, field in kind.model_fields.items()}
    else:
        assert dataclasses.is_dataclass(kind)
        hints = get_type_hints(kind)
        fields = {field.name: _of(hints[field.name], ()) for field in dataclasses.fields(kind)}
    return st.fixed_dictionaries(fields).map(lambda values: kind(**values))


def _of_field(field: FieldInfo) -> st.SearchStrategy[Any]:
    return _of(field.annotation, field.metadata)


def _of(annotation: Any, metadata: Sequence[Any]) -> st.SearchStrategy[Any]:
    if isinstance(annotation, type) and (make := _PLAIN.get(annotation)) is not None:
        return make(metadata)
    if get_origin(annotation) is tuple:
        return st.lists(_annotated(get_args(annotation)[0]), max_size=3).map(tuple)
    if get_origin(annotation) in (Union, UnionType):
        return st.one_of([_annotated(arm) for arm in get_args(annotation)])
    if get_origin(annotation) is Literal:
        return st.sampled_from(get_args(annotation))
    if issubclass(annotation, Enum):
        return st.sampled_from(list(annotation))
    return instances(annotation)


def _annotated(annotation: Any) -> st.SearchStrategy[Any]:
    """Unpack `Annotated[…]`, as pydantic does for a field of its own."""
    return _of_field(FieldInfo.from_annotation(annotation))


def _text(metadata: Sequence[Any]) -> st.SearchStrategy[str]:
    patterns = [pattern for each in metadata if (pattern := getattr(each, "pattern", None))]
    return st.from_regex(patterns[0], fullmatch=True, alphabet=st.characters(codec="ascii")) if patterns else TEXT


def _whole(metadata: Sequence[Any]) -> st.SearchStrategy[int]:
    bounds = {name: getattr(each, name) for each in metadata for name in ("ge", "le") if hasattr(each, name)}
    return st.integers(bounds.get("ge", -(2**63)), bounds.get("le", 2**63 - 1))


_PLAIN: dict[Any, Callable[[Sequence[Any]], st.SearchStrategy[Any]]] = {
    str: _text,
    int: _whole,
    bool: lambda _: st.booleans(),
    float: lambda _: st.floats(0, 1e6, allow_nan=False),
    UUID: lambda _: IDS,
    datetime: lambda _: MOMENTS,
    AwareDatetime: lambda _: MOMENTS,
    NoneType: lambda _: st.none(),
}
