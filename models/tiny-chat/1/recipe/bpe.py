"""Train the byte-level BPE tokenizer on the training part of the text.

Why byte-level: any user text has tokens, so there is no unknown token.
"""

from __future__ import annotations

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from corpus import BOS, END, PAD, Speech, USER, ASSISTANT


def train_tokenizer(speeches: list[Speech], vocab_size: int) -> Tokenizer:
    """A BPE tokenizer with three special tokens; a raw prompt gets `<|bos|>` in front."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[PAD, BOS, END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    texts = [f"{s.name}:\n{s.body}" for s in speeches]
    roles = [f"{USER}:\n", f"{ASSISTANT}:\n"] * 200  # so that the chat roles get short spellings
    tokenizer.train_from_iterator(texts + roles, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", special_tokens=[(BOS, tokenizer.token_to_id(BOS))]
    )
    return tokenizer
