// SPDX-License-Identifier: MIT
// tests/client/llama_cpp.mjs MODEL.gguf REQUEST.json ANSWER.json: llama.cpp's view of a model.
//
// REQUEST: {"tokens": [...], "prompt": n, "text": "..."}. ANSWER: "log_probabilities", for each token
// but the last the list of those of every token that may follow; "greedy", the likeliest
// continuation of the first n tokens, as many as there are; "encoded", the tokens of the text.
// Run where node-llama-cpp is installed. Attention keeps its keys and values in F32.
import fs from "node:fs";
import {getLlama, LlamaLogLevel} from "node-llama-cpp";

const [model_path, request_path, answer_path] = process.argv.slice(2);
const request = JSON.parse(fs.readFileSync(request_path, "utf8"));
const llama = await getLlama({gpu: false, build: "never", logLevel: LlamaLogLevel.warn,
                              progressLogs: false});
const model = await llama.loadModel({modelPath: model_path, checkTensors: true,
                                     ignoreMemorySafetyChecks: true});
const context = await model.createContext({
  contextSize: request.tokens.length + 8,
  batchSize: request.tokens.length + 8,
  sequences: 2,
  threads: 2,
  flashAttention: false,
  experimentalKvCacheKeyType: "F32",
  experimentalKvCacheValueType: "F32",
  ignoreMemorySafetyChecks: true,
});

/// Of a map from tokens to logits, as a list by token.
function log_softmax(logits) {
  const list = new Array(logits.size);
  for (const [token, logit] of logits) list[token] = logit;
  const most = Math.max(...list);
  const sum = list.reduce((total, logit) => total + Math.exp(logit - most), 0);
  return list.map((logit) => logit - most - Math.log(sum));
}
const with_logits = (token) => [token, {generateNext: {logits: true}}];

// All tokens at once.
const all = context.getSequence();
const results = await all.controlledEvaluate(request.tokens.slice(0, -1).map(with_logits));
const log_probabilities = results.map((result) => log_softmax(result.next.logits));

// One after the other.
const alone = context.getSequence();
const greedy = [];
let input = request.tokens.slice(0, request.prompt);
while (request.prompt + greedy.length < request.tokens.length) {
  const outputs = await alone.controlledEvaluate(
    input.map((token, i) => i + 1 === input.length ? with_logits(token) : token));
  const list = log_softmax(outputs[input.length - 1].next.logits);
  input = [list.indexOf(Math.max(...list))];
  greedy.push(input[0]);
}

const encoded = model.tokenize(request.text);
fs.writeFileSync(answer_path, JSON.stringify({log_probabilities, greedy, encoded}));
await llama.dispose();
