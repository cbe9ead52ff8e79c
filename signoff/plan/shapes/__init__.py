"""Shapes of JSON, such as "[{ title: string }]": `reader` parses them, `tokens` has their words and brackets, `types`
what a word stands for."""
