import { describe, expect, test } from "vitest";
import { disagreement } from "./disagreement.ts";

const forbidden = {
  "quantity: numbers, however they are written": [
    ["What is 15% of 80?", "What is 18% of 80?"],
    ["Give me three ideas for a picnic", "Give me five ideas for a picnic"],
    ["How long is a marathon of 42 km", "How long is a marathon of 42 miles"],
    ["Convert 1,000 grams to ounces", "Convert 10,000 grams to ounces"],
    ["Who was the second president?", "Who was the third president?"],
    ["book a table for two at 7pm", "book a table for two at 8pm"],
    ["It costs twenty-one dollars, is that fair?", "It costs twenty-two dollars, is that fair?"],
  ],
  "quantity: dates and times": [
    ["Is the bank open on Monday?", "Is the bank open on Sunday?"],
    ["What happened in March 1933?", "What happened in April 1933?"],
    ["Will it rain tomorrow?", "Did it rain yesterday?"],
    ["What is due next week?", "What was due last week?"],
  ],
  "quantity: units": [
    ["How many euros is 50 dollars?", "How many yen is 50 dollars?"],
    ["How hot is 30 celsius", "How hot is 30 fahrenheit"],
  ],
  negation: [
    ["Which foods should I eat when ill?", "Which foods should I not eat when ill?"],
    ["Why does my code compile?", "Why doesn't my code compile?"],
    ["How to fly with a passport", "How to fly without a passport"],
    ["Show all users", "Show only users"],
  ],
  "opposite: antonyms and prefixes": [
    ["How do I enable two-factor authentication?", "How do I disable two-factor authentication?"],
    ["How can I turn on dark mode?", "How can I turn off dark mode?"],
    ["steps to activate my card", "steps to deactivate my card"],
    ["Is it legal to record a call?", "Is it illegal to record a call?"],
    ["How do I increase the font size?", "How do I decrease the font size?"],
    ["What should I do before surgery?", "What should I do after surgery?"],
    ["sort the list in ascending order", "sort the list in descending order"],
  ],
  name: [
    ["What is the capital of Australia?", "What is the capital of Austria?"],
    ["how do i sort a list in python", "how do i sort a list in javascript"],
    ["Tell me about Marie Curie", "Tell me about Pierre Curie"],
    ["What does NASA do?", "What does ESA do?"],
  ],
  order: [
    ["Does the dog chase the cat?", "Does the cat chase the dog?"],
    ["convert celsius to fahrenheit", "convert fahrenheit to celsius"],
    ["flights from Paris to London", "flights from London to Paris"],
    ["Translate this word from German into Dutch: Haus", "Translate this word from Dutch into German: Haus"],
    ["Is tea better than coffee?", "Is coffee better than tea?"],
  ],
  ask: [
    ["When did the wall fall?", "Why did the wall fall?"],
    ["Who invented the telephone?", "When was the telephone invented?"],
  ],
  form: [
    ["Explain photosynthesis briefly", "Explain photosynthesis in detail"],
    ["Describe the water cycle as a poem", "Describe the water cycle as a table"],
    ["What is recursion", "What is recursion, like I'm five"],
  ],
  "exact: quotes and code": [
    ['Translate "good morning" please', 'Translate "good evening" please'],
    ["What does `a.b()` return?", "What does `a.c()` return?"],
    ["Why is max_tokens ignored?", "Why is min_tokens ignored?"],
    ["Is https://a.example down?", "Is https://b.example down?"],
    ["what does ls -l do", "what does ls -a do"],
  ],
  script: [["Что такое вода?", "Что такое вода"]],
} satisfies Record<string, [string, string][]>;

describe("two prompts are forbidden to share an answer by", () => {
  for (const [rule, pairs] of Object.entries(forbidden)) {
    test.each(pairs)(`${rule} | %s | %s`, (a, b) => {
      expect(disagreement(a, b)).toBeDefined();
      expect(disagreement(b, a)).toBeDefined();
    });
  }

  test("their length, beyond which too much may differ", () => {
    const long = "word ".repeat(200);
    expect(disagreement(long, long)).toBe("length");
  });
});

test.each([
  ["How do I reset my password?", "how can I reset my password"],
  ["What's the capital of France?", "Please tell me the capital of France"],
  ["How do I sort a list in Python?", "In Python, how do I sort a list?"],
  ["What is 15% of 80?", "Calculate 15 percent of 80."],
  ["Give me three ideas for a picnic", "give me 3 picnic ideas"],
  ["I can't log in to my account", "I cannot log in to my account"],
  ["book a table for two at 7pm", "Could you book a table for 2 at 7 pm?"],
  ["How do I turn off notifications?", "How do I disable notifications?"],
  ["why is the sky blue", "What is the reason the sky is blue?"],
  ["What are the symptoms of flu?", "Which symptoms does flu have?"],
  ["Explain how vaccines work", "How do vaccines work?"],
  ["best way to learn guitar", "What is the best way to learn the guitar?"],
  ['Translate "good morning" to German', 'How do you say "good morning" in German'],
  ["how tall is mount everest", "How tall is Mount Everest?"],
])("rules leave paraphrases to the verifier | %s | %s", (a, b) => {
  expect(disagreement(a, b)).toBeUndefined();
});

test.each([
  ["Is there a ferry that goes to Odense from Split?", "Is there a ferry from Split to Odense?"],
  ["How many feet are in 18 yards?", "Convert 18 yards to feet"],
  ["sort the orders with the newest first", "Sort the orders, newest first"],
])("an order that changes nothing is no reason to forbid | %s | %s", (a, b) => {
  expect(disagreement(a, b)).toBeUndefined();
});

test.each([
  ["how much are 600 baht in yen", "how much are 600 yen in baht, I wonder"],
  ["what is 20 minus 8", "what is 8 minus 20"],
  ["who is older, Jane or Priya", "by whom was Priya beaten, Jane"],
])("an order that may change something is one | %s | %s", (a, b) => {
  expect(disagreement(a, b)).toBeDefined();
});
