"""What providers and readers tell us afterwards, turned into suppressions: the room that closes the loop.

`decide` and `scoring` say what an event leads to, `run` stores events and draws the consequences, `run_again` does so
once more when we have learnt to read better.
"""
