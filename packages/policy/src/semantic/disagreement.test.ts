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
    ["Use `load` where `read` was called", "Use `read` where `load` was called"],
  ],
  "substitution: another thing in one place": [
    ["Do monsteras survive the winter outside?", "Do fuchsias survive the winter outside?"],
    ["Who gave their name to teslas?", "Who gave their name to farads?"],
    ["Check the spelling of this article", "Check the grammar of this article"],
    ["Hotels in the old town with a pool", "Vegan hotels in the old town with a pool"],
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
  ["Move the call to 4 pm", "move the call to 16:00"],
  ["Wake me at seven in the morning", "wake me at 7am"],
  ["Is the desk staffed at noon?", "is the desk staffed at 12 pm"],
  ["What is on for the 1st of May?", "what is on for May 1"],
  ["Which day is the concert?", "when is the concert"],
  ["Change 20 Canadian dollars into euros", "20 CAD in euros"],
])("one time, date or currency in two spellings is no reason to forbid | %s | %s", (a, b) => {
  expect(disagreement(a, b)).toBeUndefined();
});

test.each([
  ["Move the call to 4 pm", "Move the call to 4 am"],
  ["Move the call to 16:00", "Move the call to 16:30"],
  ["What is on for May 1?", "What is on for May 2?"],
  ["Change 20 Canadian dollars into euros", "Change 20 US dollars into euros"],
])("another time, date or currency is a reason | %s | %s", (a, b) => {
  expect(disagreement(a, b)).toBe("quantity");
});

test.each([
  ["Is Ann older than Bo?", "Is Bo younger than Ann?"],
  ["What does Peru export to Chile?", "What does Chile import from Peru?"],
  ["Does the starter come before the main course?", "Is the main course after the starter?"],
])("a relation said from its other end is left to the verifier | %s | %s", (a, b) => {
  expect(disagreement(a, b)).toBeUndefined();
});

test.each([
  ["Is Ann older than Bo?", "Is Ann younger than Bo?"],
  ["What does Peru export to Chile?", "What does Peru import from Chile?"],
  ["Turn the lamp on in Rome and the oven off", "Turn the oven on and the lamp off in Rome"],
  ["flights from Lima to Quito before noon", "flights from Quito to Lima after noon"],
])("a relation from the same end, or with more that is opposed, is not | %s | %s", (a, b) => {
  expect(disagreement(a, b)).toBeDefined();
});

test("who did it decides where one prompt says by whom", () => {
  expect(disagreement("Was Ajax beaten by Porto?", "Did Porto beat Ajax?")).toBeUndefined();
  expect(disagreement("Was Ajax beaten by Porto?", "Did Ajax beat Porto?")).toBe("order");
  expect(disagreement("How can the tenant be helped by the agent?", "How can the tenant help the agent?")).toBe(
    "order",
  );
});

test.each([
  ["Compare Lima and Quito", "Compare Quito and Lima"],
  ["What is the difference between a crow and a raven?", "What is the difference between a raven and a crow?"],
  ["add 20 and 29", "29 + 20"],
  ["In Python, how do I append to a CSV file?", "Append to a CSV file in Python, how?"],
  ["Python: append to a CSV file", "How do I append to a CSV file in Python?"],
])("what may stand in either order is no reason to forbid | %s | %s", (a, b) => {
  expect(disagreement(a, b)).toBeUndefined();
});

test.each([
  ["I can't open the archive", "I have trouble opening the archive"],
  ["Don't let Kim write to me", "Stop Kim from writing to me"],
  ["Why do they not trust Kim?", "Why do they distrust Kim?"],
  ["Is it not legal to fish here?", "Is it illegal to fish here?"],
  ["How is a crow different from a raven?", "How does a crow differ from a raven?"],
])("a word that holds the other's negation leaves it to the verifier | %s | %s", (a, b) => {
  expect(disagreement(a, b)).toBeUndefined();
});

test.each([
  ["I can't open the archive", "I can open the archive"],
  ["Stop the music", "Don't stop the music"],
  ["Why isn't the raft safe?", "Why is the raft safe?"],
])("a negation that no word of the other holds forbids | %s | %s", (a, b) => {
  expect(disagreement(a, b)).toBeDefined();
});

test.each([
  ["Is it possible to freeze milk?", "Would you advise me to freeze milk?"],
  ["Can I freeze milk?", "Should I freeze milk?"],
  ["Do I have to freeze milk?", "May I freeze milk?"],
  ["Can I freeze milk?", "How do I freeze milk?"],
  ["Who will pay the fine?", "When will they pay the fine?"],
  ["Who is the landlord?", "Should I pay the landlord?"],
  ["Why is the harbour closed?", "Is the harbour closed?"],
  ["Which dog bites?", "Does the dog bite?"],
])("ask: whether one may, should or must, how, who and when are different questions | %s | %s", (a, b) => {
  expect(disagreement(a, b)).toBe("ask");
});

test.each([
  ["How are people punished who fish here?", "What is the fine when I fish here?"],
  ["Could you tell me how to peel a mango?", "What is the best way to peel a mango?"],
  ["Define entropy", "What does entropy mean?"],
  ["Is there a way to peel a mango?", "How do I peel a mango?"],
  ["Is it allowed to fish here?", "May I fish here?"],
  ["Book a table at Luigi's", "Make a reservation at Luigi's"],
])("a question word or a form that is said in passing is no reason to forbid | %s | %s", (a, b) => {
  expect(disagreement(a, b)).toBeUndefined();
});

test.each([
  ["How do I fix a dishwasher?", "How do I repair a dishwasher?"],
  ["founders of Porto", "Who founded Porto?"],
  ["Use `load` where `read` was called", "Replace calls of `read` by `load`"],
  ["What do films cost in Rome?", "What do movies cost in Rome?"],
  ["How can I peel a mango?", "How can I peel a mango quickly?"],
])("other words in one place for one thing are left to the verifier | %s | %s", (a, b) => {
  expect(disagreement(a, b)).toBeUndefined();
});

test.each([
  ["how much are 600 baht in yen", "how much are 600 yen in baht, I wonder"],
  ["what is 20 minus 8", "what is 8 minus 20"],
  ["who is older, Jane or Priya", "by whom was Priya beaten, Jane"],
])("an order that may change something is one | %s | %s", (a, b) => {
  expect(disagreement(a, b)).toBeDefined();
});
