"""The rules that a request keeps before a service is asked, and what a browser may do with an answer.

rules       the rules of a door, each a method that raises
hosts       the names by which the door may be called
tokens      the shared token and the cookie that stands for it
headers     the headers of every answer
refusals    the errors, each with its HTTP status
"""
