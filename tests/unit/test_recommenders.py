"""Conventional recommenders on data small enough to check by hand or against a dense reference."""

import numpy as np
import pytest
import torch

from itdr.errors import SettingsError
from itdr.recommenders import methods
from itdr.recommenders.ease import Ease
from itdr.recommenders.interactions import History, Interactions
from itdr.recommenders.item_knn import ItemKnn
from itdr.recommenders.last_item import LastItem
from itdr.recommenders.popularity import MostPopular
from itdr.recommenders.ratings import ItemMean, UserItemBias
from itdr.recommenders.sasrec import SasRec
from itdr.recommenders.texts import AttributeModel, NearestText

NAN = np.nan


def lives(*items, ratings=None, n_items=None, asked=()):
    """Return the interactions of users 0, 1, ... from the items of each, oldest first."""
    flat = [item for life in items for item in life]
    values = [value for life in ratings for value in life] if ratings else [NAN] * len(flat)
    return Interactions(
        np.repeat(np.arange(len(items)), [len(life) for life in items]).astype(np.int32),
        np.array(flat, np.int32),
        np.array(values, np.float32),
        len(items),
        n_items or max(flat) + 1,
        np.array(asked, np.int32),
    )


def scores(model, data, user, *candidates):
    model.fit(data)
    return model.score(data.history(user), np.array(candidates))


def random_lives(seed=3, users=40, items=12):
    generator = np.random.default_rng(seed)
    return lives(
        *(generator.permutation(items)[: generator.integers(2, 7)].tolist() for _ in range(users)),
        n_items=items,
    )


RATED = lives([0, 1], [0, 2], [1], ratings=[[5, 3], [4, NAN], [1]], n_items=4)


def test_item_mean():
    # Item 0: (5 + 4) / 2; item 1: (3 + 1) / 2; items 2 and 3 have no rating: (5 + 3 + 4 + 1) / 4.
    np.testing.assert_allclose(scores(ItemMean(), RATED, 0, 0, 1, 2, 3), [4.5, 2, 3.25, 3.25])


def test_user_item_bias():
    # mean 3.25; b_0 = (1.75 + 0.75) / 27, b_1 = (-0.25 - 2.25) / 27; b_user of user 1, who rated
    # item 0 alone: (4 - 3.25 - b_0) / 11.
    b_0, b_1 = 2.5 / 27, -2.5 / 27
    user = (0.75 - b_0) / 11
    expected = [3.25 + b_1 + user, 3.25 + user]
    np.testing.assert_allclose(scores(UserItemBias(), RATED, 1, 1, 3), expected, rtol=1e-6)


def test_popularity_counts_users():
    assert scores(MostPopular(), RATED, 2, 0, 1, 2, 3).tolist() == [2, 2, 1, 0]


def test_what_follows_the_last_item_counts_by_its_distance():
    data = lives([7, 0, 1, 2], [0, 2], [3, 0], [2, 0, 4])
    # Behind item 0: 1 at distance 1, 2 at distances 2 and 1, 4 at 1; a user's end is no transition.
    found = scores(LastItem(), data, 2, 1, 2, 3, 4, 7)
    np.testing.assert_allclose(found, [1, 1.5, 0, 1, 0], atol=1 / 2521)
    assert found[3] == found[0] and found[2] == found[4] > 0, "equal popularity, equal scores"


def test_item_knn_sums_cosines():
    data = lives([0, 1, 2], [0, 1], [2], [0, 3])
    # Users of the items: 3, 2, 2, 1. To user 3's history (0, 3): item 1 shares 2 users with 0.
    found = scores(ItemKnn(), data, 3, 1, 2)
    np.testing.assert_allclose(found, [2 / np.sqrt(6), 1 / np.sqrt(6)], rtol=1e-6)


def test_item_knn_is_that_of_the_library():
    library = pytest.importorskip("implicit.nearest_neighbours")
    data = random_lives()
    reference = library.CosineRecommender(K=data.n_items)
    reference.fit(data.matrix().astype(float), show_progress=False)
    history = data.history(5)
    expected = reference.similarity[history.items].toarray().sum(axis=0)
    np.testing.assert_allclose(scores(ItemKnn(), data, 5, *range(12)), expected, rtol=1e-5)


def test_ease_is_the_regression_of_each_item_on_the_others():
    """Hold the closed form against ridge regressions one by one, without the item itself."""
    data = random_lives()
    dense = data.matrix().toarray().astype(float)
    weights = np.zeros((12, 12))
    for item in range(12):
        others = np.delete(np.arange(12), item)
        x = dense[:, others]
        weights[others, item] = np.linalg.solve(x.T @ x + 5 * np.eye(11), x.T @ dense[:, item])
    expected = weights[data.history(5).items].sum(axis=0)
    np.testing.assert_allclose(scores(Ease(5), data, 5, *range(12)), expected, atol=1e-5)


def test_dense_models_keep_what_is_asked_about_and_what_is_frequent():
    data = lives([0, 1, 2, 3], [1, 2], [2, 4], asked=[4])
    some, numbers = data.most_useful(3)
    assert numbers.tolist() == [-1, 0, 1, -1, 2]
    assert some.items.tolist() == [0, 1, 0, 1, 1, 2] and some.users.tolist() == [0, 0, 1, 1, 2, 2]
    found = scores(Ease(1, most_items=3), data, 0, 0, 1, 2, 4)
    assert found[0] == 0 and (found[1:] != 0).any()


def test_als_solves_the_least_squares_of_the_history():
    pytest.importorskip("implicit")
    from itdr.recommenders.als import Als

    data, model = random_lives(), Als(seed=1, factors=3, weight=4, penalty=0.5)
    found = scores(model, data, 5, *range(12))
    items = model._model.item_factors.astype(float)
    chosen = items[data.history(5).items]
    # Every item draws to 0 with weight 1, a chosen one to 1 with weight 4 in place of that.
    gram = items.T @ items + 3 * chosen.T @ chosen + 0.5 * np.eye(3)
    user = np.linalg.solve(gram, 4 * chosen.sum(axis=0))
    np.testing.assert_allclose(found, items @ user, atol=1e-4)


def two_tastes(rated=False):
    """Return users who choose among the first or last ten items and rate theirs 5, others 1."""
    generator = np.random.default_rng(5)
    items, ratings = [], []
    for user in range(60):
        own = 10 * (user % 2) + generator.permutation(10)[:6]
        other = 10 * ((user + 1) % 2) + generator.permutation(10)[:3]
        items.append([*own, *other] if rated else own.tolist())
        ratings.append([5] * 6 + [1] * 3 if rated else [NAN] * 6)
    return lives(*items, ratings=ratings, n_items=20)


def small_sasrec(seed):
    return SasRec(seed, width=16, blocks=1, steps=8, rate=1e-2, most_epochs=15)


@pytest.mark.parametrize("name", ["mf", "als", "bpr", "ease", "sasrec", "item-knn"])
def test_tastes_are_learnt_and_seeds_repeat(name):
    method = methods.METHODS[name]
    if method.missing:
        pytest.skip(f"{method.missing} not installed")
    make = small_sasrec if name == "sasrec" else method.make
    data = two_tastes(rated=name == "mf")
    found = [scores(make(4), data, 6, *range(20)) for _ in range(2)]
    np.testing.assert_array_equal(*found)
    own, other = found[0][:10], found[0][10:]
    assert own.mean() > other.mean() + 0.5 * (own.std() + other.std())


def test_sasrec_learns_the_order():
    generator = np.random.default_rng(2)
    starts = generator.integers(0, 10, 200)
    data = lives(*([int((start + step) % 10) for step in range(5)] for start in starts))
    model = SasRec(1, width=32, blocks=1, steps=6, rate=1e-2, dropout=0.0, most_epochs=40)
    model.fit(data)
    for last in range(10):
        walk = np.array([(last - 1) % 10, last])
        found = model.score(History(None, walk, np.full(2, NAN)), np.arange(10))
        assert found.argmax() == (last + 1) % 10


def test_sasrec_sees_no_later_item():
    model = SasRec(1, steps=5, most_epochs=1)
    model.fit(two_tastes())
    with torch.inference_mode():
        rows = torch.tensor([[0, 3, 4, 5, 6], [0, 3, 4, 5, 9]])
        states = model._network(rows)
    torch.testing.assert_close(states[0, :4], states[1, :4], rtol=0, atol=0)
    assert (states[0, 4] != states[1, 4]).any()


def test_sasrec_trains_on_every_step_of_a_long_life_once():
    model = SasRec(1, steps=3, held_out=0)
    rows, held_out = model._sequences(lives([10, 11, 12, 13, 14, 15, 16, 17], n_items=20))
    pairs = [(int(row[at]), int(row[at + 1])) for row in rows for at in range(3) if row[at] != 0]
    assert sorted(pairs) == [(item, item + 1) for item in range(11, 18)] and not len(held_out)


def test_attributes_are_learnt_from_the_history():
    inputs = [f"Films\n{film}:Drama\nAttributes" for film in ("Heat", "Alien") * 20]
    outputs = [f"gender:{'male' if row % 2 else 'female'}, age:{20 + 30 * (row % 2)}"
               for row in range(40)]  # fmt: skip
    model = AttributeModel(("gender", "age"), {"age"})
    model.fit(inputs, outputs)
    gender, age = model.answer("Films\nAlien:Drama\nAttributes").split(", ")
    assert gender == "gender:male"
    assert 45 < float(age.removeprefix("age:")) <= 50


def test_nearest_text():
    model = NearestText()
    model.fit(["a film about sharks", "a book about trees"], ["Divers.", "Gardeners."])
    assert model.answer("trees and more trees") == "Gardeners."


def test_a_recommender_whose_library_is_missing_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(methods, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"cornac cannot be imported.*\[recommenders\]"):
        methods.find_method("bpr")
    assert methods.find_method("ease").missing == []
    with pytest.raises(SettingsError, match="Did you mean 'sasrec'"):
        methods.find_method("sasrek")
