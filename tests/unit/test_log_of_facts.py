"""The fold and the chain: events add up to the row, and no event can be changed unseen."""

from hypothesis import given
from hypothesis import strategies as st

from portfolios.domain.chain import GENESIS, canonical_text, chained_hash
from portfolios.domain.fold import NOTHING, Change, State, after

amounts = st.integers(-(10**18), 10**18)
changes = st.lists(st.builds(Change, *[amounts] * 6, st.sampled_from(("active", "paused"))))


def test_a_deposit_a_buy_and_a_dividend_add_up():
    deposit = Change(0, 10_000, 0, 0, 0, 0, "active")
    intent = Change(0, 0, 0, 400, 0, 97, "active")
    fill = Change(4, -390, 0, -400, 0, 97, "active")
    ex_dividend = Change(0, 0, 3, 0, 0, 96, "paused")
    state = NOTHING
    for change in (deposit, intent, fill, ex_dividend):
        state = after(state, change)
    assert state == State(4, 9_610, 3, 0, 0, 96, "paused")


@given(changes)
def test_the_fold_is_the_sum_of_the_changes_and_the_last_word_on_anchor_and_state(changes):
    state = NOTHING
    for change in changes:
        state = after(state, change)
    for place in range(5):
        assert state[place] == sum(change[place] for change in changes)
    if changes:
        assert (state.anchor, state.state) == (changes[-1].anchor_after, changes[-1].state_after)


def test_the_hashed_text_is_sorted_and_holds_no_number_to_rewrite():
    content = {"seq": 2, "inputs": {"price": "97.250", "age": None}, "fills": [1, "a"], "naïve": True}
    assert canonical_text(content) == (
        '{"fills":["1","a"],"inputs":{"age":"","price":"97.250"},"naïve":"True","seq":"2"}'
    )


@given(st.lists(st.text(), min_size=1), st.data())
def test_a_change_in_any_event_changes_every_hash_after_it(texts, data):
    place = data.draw(st.integers(0, len(texts) - 1))
    changed = [*texts[:place], texts[place] + "!", *texts[place + 1 :]]
    before, now = chain_of(texts), chain_of(changed)
    assert before[:place] == now[:place]
    assert all(old != new for old, new in zip(before[place:], now[place:], strict=True))


def chain_of(texts):
    hashes = [GENESIS]
    for text in texts:
        hashes.append(chained_hash(hashes[-1], text))
    return hashes[1:]
