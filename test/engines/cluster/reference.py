"""The model in one process, by `transformers` alone: what a cluster must answer, token for token.

    python reference.py FOLDER < JSON      {"prompts": ["…"], "max_tokens": n}

Writes {"answers": [[token ids], …], "parameter_bytes": n}.
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def main(folder: str) -> None:
    asked = json.load(sys.stdin)
    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    answers = []
    for prompt in asked["prompts"]:
        chat = [{"role": "user", "content": prompt}]
        given = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
        made = model.generate(**given, do_sample=False, max_new_tokens=asked["max_tokens"])
        answers.append(made[0, given["input_ids"].shape[1] :].tolist())
    parameters = sum(one.numel() * one.element_size() for one in model.parameters())
    print(json.dumps({"answers": answers, "parameter_bytes": parameters}))


if __name__ == "__main__":
    main(sys.argv[1])
