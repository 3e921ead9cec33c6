"""Requests as people spoke them: pairs from CLINC150 (CC BY 3.0), told apart by intent, by their rarer words and by a sentence embedder."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

SOURCE = "clinc150.json (CLINC150 with out-of-scope, data_full.json of clinc/oos-eval on GitHub, CC BY 3.0)"
# Intents of which every request wants one answer, unless it names something that the others do not.
ONE_ANSWER = (
    "are_you_a_bot what_is_your_name how_old_are_you who_made_you where_are_you_from do_you_have_pets what_are_your_hobbies tell_joke fun_fact meaning_of_life "
    "who_do_you_work_for what_can_i_ask_you user_name pto_balance pto_request_status payday next_holiday report_lost_card damaged_card credit_score improve_credit_score "
    "rewards_balance redeem_rewards order_checks report_fraud expiration_date min_payment mpg gas tire_pressure tire_change oil_change_when oil_change_how jump_start "
    "last_maintenance schedule_maintenance gas_type w2 direct_deposit rollover_401k lost_luggage find_phone reset_settings flip_coin new_card replacement_card_duration "
    "card_declined freeze_account account_blocked credit_limit goodbye thank_you greeting todo_list shopping_list calendar what_song next_song travel_notification"
).split()
SPLIT_WORDS = re.compile(r"[a-z0-9']+")
COMMON_FROM = 5


@dataclass(frozen=True)
class Natural:
    """Requests, pairs of them that want the same (or nearly the same words, yet not the same), as (a, b)."""

    requests: list[str]
    same: list[tuple[str, str]]
    different: list[tuple[str, str]]


def read(folder: Path) -> list[tuple[str, str]]:
    """Requests and intents of the training split."""
    path = folder / "clinc150.json"
    if not path.is_file():
        raise SystemExit(f"Missing data: give --data DIR with {SOURCE}.")
    return [(text, intent) for text, intent in json.loads(path.read_text(encoding="utf-8"))["train"]]


def rare_words(rows: list[tuple[str, str]]) -> list[frozenset[str]]:
    """Of each request the words that few requests of its intent have: what it names."""
    uses: dict[str, Counter[str]] = defaultdict(Counter)
    for text, intent in rows:
        uses[intent].update(set(SPLIT_WORDS.findall(text)))
    anywhere = Counter(word for found in uses.values() for word in found)
    return [frozenset(w for w in SPLIT_WORDS.findall(text) if uses[intent][w] < COMMON_FROM and anywhere[w] < 40) for text, intent in rows]


def natural(rows: list[tuple[str, str]], vectors: np.ndarray, seed: int) -> Natural:
    """Pairs: `vectors` [requests, width] are unit vectors of a sentence embedder."""
    draw, rare, at_intent = Random(seed), rare_words(rows), defaultdict(list)
    for at, (_, intent) in enumerate(rows):
        at_intent[intent].append(at)
    same, different = [], []
    for intent, members in at_intent.items():
        near = vectors[members] @ vectors[members].T
        for i, a in enumerate(members):
            for j in np.argsort(-near[i])[1:12]:
                b = members[j]
                if intent in ONE_ANSWER and rare[a] == rare[b] and near[i, j] > 0.62:
                    same.append((rows[a][0], rows[b][0]))
                elif rare[a] - rare[b] and rare[b] - rare[a] and near[i, j] < 0.9 and intent not in ONE_ANSWER:
                    different.append((rows[a][0], rows[b][0]))
    intents = np.array([sorted(at_intent).index(intent) for _, intent in rows])
    for at in range(len(rows)):
        near = vectors @ vectors[at]
        near[intents == intents[at]] = -1
        different += [(rows[at][0], rows[b][0]) for b in np.argpartition(-near, 3)[:3] if 0.45 < near[b] < 0.85]
    draw.shuffle(same)
    draw.shuffle(different)
    return Natural([text for text, _ in rows], same, different)
