"""The made-up people that follow from their numbers."""

from __future__ import annotations

import json

from bench.stubs.users import Person, Population, entra_id, index_in_address, index_in_id


def test_everybody_is_found_again_by_their_values() -> None:
    """An id and an address belong to one user of one population, and to none of another."""
    for index in (0, 7, 123_456):
        person = Person(number=4, index=index)
        assert index_in_id(entra_id(4, index), 4) == index
        assert index_in_address(person.address, 4) == index
        assert index_in_id(entra_id(4, index), 5) is None
        assert index_in_address(person.address, 5) is None


def test_shares_are_shares_of_each_hundred() -> None:
    """Of a thousand users fifty are stale and twenty others absent, spread over the list."""
    population = Population(number=1, people=1000, stale=5, absent=2)
    assert (population.stale_people, population.absent_people) == (50, 20)
    assert any(map(population.is_stale, range(100)))
    assert not any(population.is_stale(index) and population.is_absent(index) for index in range(1000))


def test_a_move_changes_the_address_and_nothing_else() -> None:
    """Who moves is the same person at another place."""
    before, after = (Person(number=1, index=9, moves=moves).in_entra() for moves in (0, 1))
    assert {name for name in before if before[name] != after[name]} == {"streetAddress", "postalCode"}


def test_a_population_survives_its_way_to_a_stub() -> None:
    """What goes over as JSON comes out as it was."""
    population = Population(number=3, people=10, stale=100)
    assert Population.from_json(json.loads(json.dumps(vars(population)))) == population
