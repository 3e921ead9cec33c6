"""Makes two small tokenizers and what they say of 200 texts: the reference for the tokenizer step.

    pip install tokenizers==0.23.3
    python tokenizers_golden.py
"""

import json
import random
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

here = Path(__file__).parent
root = here.parents[2]
max_tokens = 24

corpus = [(root / "LICENSE").read_text()]  # A text that stays as it is.
corpus += [
    "Das Modell läuft in der Nähe des Anrufers, über Nacht, für alle Größen. Straße, Fußgänger, Äpfel.",
    "Le modèle répond près de l'appelant, où qu'il soit, même la nuit. Ça va, garçon? Œuvre, naïve.",
    "Модель отвечает рядом с тем, кто спрашивает. Ёжик и ёлка.",
    "模型在离用户最近的地方运行。日本語の文も試します。한국어 문장도 있습니다.",
    "El niño pregunta y la máquina responde: ¿qué hora es? ¡Mañana!",
]


def wordpiece() -> Tokenizer:
    """As BERT's: lower case, no accents, CJK characters apart, [CLS] and [SEP] around."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=1200, special_tokens=specials, show_progress=False)
    tokenizer.train_from_iterator(corpus, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", tokenizer.token_to_id("[CLS]")), ("[SEP]", tokenizer.token_to_id("[SEP]"))],
    )
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def byte_level() -> Tokenizer:
    """As GPT-2's and RoBERTa's: pairs of bytes merged, every text representable, <s> and </s> around."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=800,
        special_tokens=["<s>", "<pad>", "</s>", AddedToken("<mask>", lstrip=True)],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", tokenizer.token_to_id("</s>")), ("<s>", tokenizer.token_to_id("<s>")), add_prefix_space=False
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def texts() -> list[str]:
    chosen = [
        "", " ", "\n\t\r", "a", "[CLS]", "[MASK] is it [SEP]?", "<s>hi</s> <mask>", "#hash ##ing",
        "Hello, world!", "HELLO WORLD", "don't can't I'll we've", "e-mail@example.org", "3.14159 1,000,000 10%",
        "café naïve Ångström Straße", "cafe\u0301 nai\u0308ve", "İstanbul ı", "ﬁne ﬂow ½ ²", "Ёлка ёжик", "ΑΒΓ αβγ ς",
        "日本語の文", "模型在运行", "한국어 문장", "ᄒ\u1161ᆫ", "中文 and English 混合", "ไทย ภาษา", "हिन्दी भाषा", "العربية שלום",
        "😀", "👍🏽 ok", "👨‍👩‍👧‍👦 family", "🇩🇪🇯🇵", "☃️ snow", "zero\u200bwidth\u00a0space\u2003em", "soft\u00adhyphen",
        "\u0000null", "bell\u0007", "\ufeffbom", "\ufffd", "\U00020000\U0002a700", "…—–“”‘’«»", "a" * 99, "b" * 101,
        "x" * 3000, "word " * 1000, "é" * 500, "😀" * 200, "日" * 300, "{\"json\": [1, 2, {\"a\": null}]}",
        "https://example.org/a?b=c&d=%20#e", "tab\tnew\nline\r\nend", "   leading and trailing   ",
    ]
    rng = random.Random(7)
    words = " ".join(corpus).split()
    odd = list("àéîõüßçñ😀日本한д.,!?-'\"()") + ["\u0301", "\u200d", "\t"]
    while len(chosen) < 200:
        picked = [rng.choice(words) for _ in range(rng.randint(1, 30))]
        for _ in range(rng.randint(0, 4)):
            picked.insert(rng.randrange(len(picked) + 1), "".join(rng.choice(odd) for _ in range(rng.randint(1, 5))))
        chosen.append((" " if rng.random() < 0.9 else "").join(picked))
    return chosen


def main() -> None:
    samples = texts()
    expected = {}
    for name, tokenizer in (("wordpiece", wordpiece()), ("byte-level", byte_level())):
        (here / f"{name}.golden.json").write_text(tokenizer.to_str(pretty=False) + "\n")
        tokenizer.enable_truncation(max_tokens)
        expected[name] = [tokenizer.encode(text).ids for text in samples]
        expected[f"{name} bare"] = [tokenizer.encode(text, add_special_tokens=False).ids for text in samples]
    golden = {"maxTokens": max_tokens, "texts": samples, "ids": expected}
    (here / "token-ids.golden.json").write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
