"""Spending: the budgets of an execution, and the amounts kept back for its attempts under way.

    expectations  what an attempt may cost, by its prompt, its limit and earlier attempts
    budgets       the ledger: the limits, what is spent, and the most that an attempt has taken. It is folded
    commitments   the amounts kept back of a ledger, and the tasks that wait for a budget
    reservations  keeps an amount back for each lease, and frees it when the lease ends

Before a task is given out, decide/assign.py computes the expected cost of its attempt and asks `Commitments.refusing`
whether every budget around the task allows it; otherwise the task is held. With the lease, `reserve` keeps the expected
cost back. Each recorded cost (decide/accounting.py) is added to the ledger by the fold, and the amount kept back gets
smaller. When the lease ends, `release` frees the rest, and `Commitments.let_go` takes out held tasks that now fit.

Only executions with a budget have a ledger and commitments: all others pay nothing for it.

A new kind of limit goes into Budget (model/values.py) and `Commitments._allows`; what it needs to know of an attempt
beforehand goes into `expectations.expected`.
"""
