"""Indexes over SCIM resources kept as JSON, and what a filter can be answered with from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from scim2_models import Path, Resource, ScimFilter, Uniqueness
from scim2_models.path import AttrPath, CompareOperator, Comparison, LogicalExpr, LogicalOperator, ValuePath

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scim2_models import AttributeBinding
    from scim2_models.path import FilterNode

#: A resource as it travels, in JSON.
Document = dict[str, Any]


class Key(NamedTuple):
    """What a resource is stored under."""

    resource_type: str
    resource_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexedAttribute:
    """One attribute of one resource type, and where its values are in the resource's JSON."""

    binding: AttributeBinding
    #: The extension that holds it, none for an attribute of the resource itself.
    extension: str | None
    name: str
    sub_name: str | None
    unique: bool

    @classmethod
    def resolve(cls, model: type[Resource[Any]], path: str) -> IndexedAttribute | None:
        """Return the attribute that ``path`` names in ``model``, None when it has no such attribute."""
        binding = Path(path).resolve(model)
        if binding is None:
            return None
        schema, _, dotted = binding.urn.rpartition(":")
        name, _, sub_name = dotted.partition(".")
        return cls(
            binding=binding,
            extension=None if schema == model.__schema__ else schema,
            name=name,
            sub_name=sub_name or None,
            unique=binding.get_annotation(Uniqueness) in {Uniqueness.server, Uniqueness.global_},
        )

    def values(self, document: Document) -> Iterator[str]:
        """Yield the strings that ``document`` holds, in the form that comparisons use."""
        holder: Mapping[str, Any] = document if self.extension is None else document.get(self.extension) or {}
        found = holder.get(self.name)
        for item in found if isinstance(found, list) else [found]:
            value = item if self.sub_name is None else (item or {}).get(self.sub_name)
            if isinstance(value, str):
                yield self.binding.comparable(value)


class Indexes:
    """Which resources hold a value, by attribute; attributes are told apart by their URN."""

    def __init__(self, attributes: Mapping[str, Iterable[IndexedAttribute]]) -> None:
        """Take the attributes to index, by the name of their resource type."""
        self._attributes = {name: tuple(found) for name, found in attributes.items()}
        self._keys: dict[str, dict[str, set[Key]]] = {
            attribute.binding.urn: {} for found in self._attributes.values() for attribute in found
        }

    def add(self, key: Key, document: Document) -> None:
        """Remember the values of ``document``."""
        for attribute in self._attributes[key.resource_type]:
            index = self._keys[attribute.binding.urn]
            for value in attribute.values(document):
                index.setdefault(value, set()).add(key)

    def remove(self, key: Key, document: Document) -> None:
        """Forget the values of ``document``, which must be what was added."""
        for attribute in self._attributes[key.resource_type]:
            index = self._keys[attribute.binding.urn]
            for value in attribute.values(document):
                holders = index.get(value, set())
                holders.discard(key)
                if not holders:
                    index.pop(value, None)

    def clashes(self, key: Key, document: Document) -> bool:
        """Tell whether another resource holds a value of ``document`` that must be unique."""
        return any(
            self._keys[attribute.binding.urn].get(value, set()) - {key}
            for attribute in self._attributes[key.resource_type]
            if attribute.unique
            for value in attribute.values(document)
        )

    def candidates(self, scim_filter: ScimFilter[Any]) -> set[Key] | None:
        """Return the resources that a filter can match, or None when the indexes do not tell.

        The answer may hold too many (one term of an ``and`` is enough to narrow it down),
        never too few: who asks still has to evaluate the filter on each.
        """
        if scim_filter.model is None:
            return None
        return self._of(scim_filter, scim_filter.ast, within=None)

    def _of(
        self, scim_filter: ScimFilter[Any], node: FilterNode, *, within: AttrPath | None
    ) -> set[Key] | None:
        match node:
            case Comparison(attr_path=path, op=CompareOperator.eq, value=str(value)):
                full = path if within is None else AttrPath(within.attr, path.attr, within.uri)
                return self._equal(scim_filter.resolve_comparison(full, strict=False), value)
            case LogicalExpr(op=operator, terms=terms):
                found = [self._of(scim_filter, term, within=within) for term in terms]
                known = [keys for keys in found if keys is not None]
                if operator is LogicalOperator.and_:
                    return set.intersection(*known) if known else None
                return set.union(*known) if len(known) == len(found) else None
            case ValuePath(attr_path=path, val_filter=inner):
                return self._of(scim_filter, inner, within=path)
            case _:
                return None

    def _equal(self, binding: AttributeBinding | None, value: str) -> set[Key] | None:
        index = None if binding is None else self._keys.get(binding.urn)
        if binding is None or index is None:
            return None
        return set(index.get(binding.comparable(value), ()))
