"""Takes the result out of a model's answer: fences for documents, repair (with mending and json_text) for JSON."""
