"""The judge: a model that is asked about criteria in words, once or by vote, and believed only as far as it can be."""
