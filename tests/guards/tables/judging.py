"""Guards of the pass: of checks, judges and canaries."""

from __future__ import annotations

from collections.abc import Sequence

from tests.guards import Guard

GUARDS: Sequence[Guard] = (
    Guard("the runner counts", "a validator says pass and looks at nothing"),
    Guard("the runner counts for canaries", "a validator says pass of a bad canary and looks at nothing"),
    Guard("formats are promises", "an answer that is no CSV, YAML or JSON Lines although its format says so"),
    Guard("numbers fit in a double", "a candidate with the number 1e400"),
    Guard("a document keeps its own fences", "a Markdown document that is one block of code"),
    Guard("a bound is as it was written", "a number with a fraction is exactly its bound"),
    Guard("words around a result are judged or rejected", "a model takes its JSON back in the words around it"),
    Guard("nothing is guessed", "a model breaks its JSON in a way that can be read in two ways"),
    Guard("thoughts are no answer", "a server sends a model's thoughts as text before the answer"),
    Guard("only ends that are known are whole", "an endpoint ends half an answer with a word of its own"),
    Guard("a canary is judged before the candidate", "a judge passes everything, and no one notices"),
    Guard(
        "one canary before a candidate", "many candidates come at once, and the first waits for all of their canaries"
    ),
    Guard(
        "a canary signs nothing off",
        "a validator passes a canary before one has judged the candidate",
    ),
    Guard(
        "workers are not told of canaries",
        "an executor copies the good canary, and a validator knows what it is measured by",
    ),
    Guard("a map may lack its canaries", "a journal tells of a canary that an earlier version has not kept"),
    Guard("canaries count without their map", "a journal with verdicts on such canaries is read again"),
    Guard("a block has its own digest", "a candidate writes the end of its block"),
    Guard("a judge answers once", "a judge breaks off its verdict, and repeats one that a candidate wrote"),
    Guard("an answer has the nonce", "a judge repeats the candidate, which has a verdict of its own"),
    Guard("each request has a nonce of its own", "a candidate brings the nonce that a request before had"),
    Guard(
        "no verdict of the candidate's own",
        "a judge repeats the verdict that stands in a candidate, with the right nonce",
    ),
    Guard("no pass without its evidence", "a judge makes up what it passes a candidate for"),
    Guard("only a criterion that forbids is shown by absence", "a judge passes what must be there without a quotation"),
    Guard("a pass does not say that it fails", "a judge gives the reasons of a failure, and the outcome of a pass"),
    Guard("evidence is asked for once more", "a judge quotes from memory, and another validator is asked in vain"),
    Guard("all of a candidate is judged", "what must not be there stands behind the first 200,000 characters"),
    Guard("no key twice", "a candidate says one thing to the validator and another to its readers"),
    Guard("decimals are exact", "a plan asks for whole cents, and a candidate says 19.99"),
    Guard("formats are asserted", "a candidate says that something happens on 2026-13-45"),
    Guard("patterns are those of ECMA-262", "a name that ends in a new line passes a pattern that ends in $"),
    Guard("drafts are told apart", "a schema whose keywords no draft has together"),
    Guard(
        "a phrase inside another word is left to the judge",
        "a criterion asks for 'Go', and the candidate speaks of Google",
    ),
    Guard("a name with a forbidden word has it", "a candidate has TODO_LIST where TODO is forbidden"),
    Guard("a dash is a dash", "a candidate writes a forbidden word with a hyphen that does not break"),
    Guard("what code cannot tell is judged", "a check of a criterion cannot tell, and no judge is asked"),
    Guard("words are counted only where people agree", "a criterion bounds the words of a text in Chinese"),
    Guard("a check of text holds no large file", "a check of text is about a file of 2 GB"),
    Guard("a file that is checked is there", "a check names a file that the candidate does not have"),
    Guard("what must not be there is in no text", "a forbidden word stands in a file that is not the main one"),
    Guard("files that say that they are text are", "a candidate has a picture that is named table.csv"),
    Guard("a manifest is not judged as a text", "a worker is given a manifest, and its files are not there"),
    Guard("long checks are progress", "a check of many files takes longer than a runner waits for a sign of it"),
    Guard("a sum is the sum of all rows", "a row of a table is missing, and its total is not"),
    Guard("a line of a table is bounded", "a table has one line of a gigabyte"),
    Guard("a picture of one colour is blank", "a program draws nothing into its chart"),
    Guard("a picture is measured before it is decoded", "a picture of a few bytes claims to have ten billion pixels"),
    Guard("members of an archive are counted", "an archive has a million empty files"),
    Guard("letters are looked for once", "a candidate is 32 KB of question marks"),
    Guard("an answer that cannot be read is one vote", "one judge counts with a number of 5,000 digits"),
    Guard("evidence is short enough to be looked for", "a judge quotes megabytes, and the worker looks for them"),
    Guard("bytes of an archive are counted as they come out", "an archive of kilobytes unpacks into gigabytes"),
    Guard("a packed archive is read up to its bound", "a packed tar has gigabytes behind its last member"),
    Guard("a link stays in the archive", "an archive has a link to /etc"),
    Guard("members of an archive stay in its folder", "an archive has a member ../../.bashrc"),
)
