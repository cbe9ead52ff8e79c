"""The OpenAPI 3.1 document: `document` describes the table of endpoints, `schemas` the messages of the protos, with
their `comments`."""
